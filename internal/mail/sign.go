package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// Signer signs letters in a domain's name (DKIM, RFC 6376), with one key or with several: an Ed25519 key (RFC 8463)
// beside an RSA key, since not everybody verifies the younger kind. The zero and the nil Signer sign nothing.
type Signer struct {
	domain string
	keys   []signingKey
}

type signingKey struct {
	selector string
	private  crypto.Signer
}

// leastRSA is the shortest RSA key that receivers must take (RFC 8301, 3.2).
const leastRSA = 1024

// NewSigner makes a Signer from as many private keys in PEM as there are selectors, in their order. Keys are RSA or
// Ed25519, in PKCS #8 or, for RSA, PKCS #1.
func NewSigner(domain string, selectors []string, keys string) (*Signer, error) {
	if !isDomain(domain) {
		return nil, fmt.Errorf("%q is no domain", domain)
	}
	s := &Signer{domain: strings.ToLower(domain)}
	rest := []byte(strings.ReplaceAll(keys, `\n`, "\n")) // as files of environment variables spell lines
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		private, err := readKey(block)
		if err != nil {
			return nil, err
		}
		if len(s.keys) == len(selectors) {
			return nil, fmt.Errorf("there are more keys than selectors (%d)", len(selectors))
		}
		selector := selectors[len(s.keys)]
		if !isDomain("x." + selector) {
			return nil, fmt.Errorf("%q is no selector, as s2026", selector)
		}
		s.keys = append(s.keys, signingKey{selector, private})
	}
	switch {
	case len(s.keys) == 0:
		return nil, errors.New("there is no private key in PEM (-----BEGIN PRIVATE KEY-----)")
	case len(s.keys) < len(selectors):
		return nil, fmt.Errorf("there are %d selectors for %d keys", len(selectors), len(s.keys))
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("something stands behind the last key")
	}
	return s, nil
}

func readKey(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("a %q is no private key without a password", strings.ToLower(block.Type))
	}
	if err != nil {
		return nil, errors.New("the key cannot be read; make one anew with: openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048")
	}
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return key, nil
	case *rsa.PrivateKey:
		if key.N.BitLen() < leastRSA {
			return nil, fmt.Errorf("the RSA key has %d bits, and receivers heed none below %d; 2048 are usual", key.N.BitLen(), leastRSA)
		}
		return key, nil
	}
	return nil, errors.New("the key is neither RSA nor Ed25519")
}

// isDomain reports whether a name of two labels or more can stand in DNS.
func isDomain(name string) bool {
	labels := strings.Split(name, ".")
	return len(labels) > 1 && len(name) <= 253 && !slices.ContainsFunc(labels, func(label string) bool {
		return label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != ""
	})
}

// signed are the headers a signature covers: those that RFC 6376, 5.4.1 recommends and those a reader's program heeds. A
// letter of ours has each at most once, and each is named twice: what stands there cannot be changed on the way, and what
// does not stand there cannot be added, nor a second one before the first (8.15). Left out are Resent-…, which whoever
// sends a letter on may add, and what relays write.
var signed = twice("From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-Language", "Auto-Submitted",
	"List-Id", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post", "List-Owner", "List-Archive")

func twice(names ...string) []string {
	var all []string
	for _, name := range names {
		all = append(all, name, name)
	}
	return all
}

// Sign answers the letter with a signature of each key above its headers.
func (s *Signer) Sign(p Post) (Post, error) {
	if s == nil {
		return p, nil
	}
	for _, key := range s.keys {
		var b bytes.Buffer
		b.Grow(len(p.message) + 1024)
		err := dkim.Sign(&b, bytes.NewReader(p.message), &dkim.SignOptions{
			Domain: s.domain, Selector: key.selector, Signer: key.private, HeaderKeys: signed,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		})
		if err != nil {
			return Post{}, fmt.Errorf("sign a letter for %s: %w", s.domain, err)
		}
		p = Post{envelope: p.envelope, message: b.Bytes()}
	}
	return p, nil
}

// On reports whether letters are signed at all.
func (s *Signer) On() bool { return s != nil && len(s.keys) > 0 }

// Domain is the one that answers for the letters.
func (s *Signer) Domain() string {
	if s == nil {
		return ""
	}
	return s.domain
}

// Record is what DNS has to say of one key. Bits are those of an RSA key, 0 for another.
type Record struct {
	Name, Text string
	Key        string // the public key alone, as it stands behind p=
	Bits       int
}

// Records are what is to be published, in the order of the keys.
func (s *Signer) Records() []Record {
	if s == nil {
		return nil
	}
	var all []Record
	for _, key := range s.keys {
		r := Record{Name: key.selector + "._domainkey." + s.domain}
		kind := "rsa"
		switch public := key.private.Public().(type) {
		case ed25519.PublicKey:
			kind, r.Key = "ed25519", base64.StdEncoding.EncodeToString(public)
		case *rsa.PublicKey:
			r.Bits = public.N.BitLen()
			der, err := x509.MarshalPKIXPublicKey(public)
			if err != nil { // cannot be: it was read from a whole key
				continue
			}
			r.Key = base64.StdEncoding.EncodeToString(der)
		}
		r.Text = "v=DKIM1; k=" + kind + "; p=" + r.Key
		all = append(all, r)
	}
	return all
}
