package mail

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// security says how a connection comes to be encrypted.
type security string

const (
	whenOffered  security = "when offered" // STARTTLS if the server has it, and always with credentials
	required     security = "required"     // STARTTLS or no mail
	neverTLS     security = "never"        // plain, also with credentials: the operator said so
	fromTheStart security = "from the start"
)

// Server is the SMTP server letters are handed to. Its String redacts the password, and so does every other way of
// printing it.
type Server struct {
	host     string
	port     int
	user     string
	password string
	security security
}

// Parse reads an address of the form smtp://user:password@host:port or smtps://…, with user and password
// percent-encoded. smtp:// means port 587 when none is given and STARTTLS when the server offers it; with
// credentials STARTTLS is required. ?starttls=require always requires it and ?starttls=never never uses it. smtps://
// means port 465 and TLS from the start. The error says what to change and never repeats the address, which may hold
// a password.
func Parse(address string) (Server, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Server{}, errors.New("the SMTP address is not a URL; write smtp://host:port and percent-encode user and password")
	}
	s := Server{host: u.Hostname()}
	switch u.Scheme {
	case "smtp":
		s.port, s.security = 587, whenOffered
	case "smtps":
		s.port, s.security = 465, fromTheStart
	default:
		return Server{}, errors.New("the SMTP address must begin with smtp:// or smtps://")
	}
	if s.host == "" {
		return Server{}, errors.New("the SMTP address names no host")
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return Server{}, errors.New("the SMTP address must end after host and port; percent-encode / and # in user and password")
	}
	if u.Port() != "" {
		s.port, err = strconv.Atoi(u.Port())
		if err != nil || s.port < 1 || s.port > 65535 {
			return Server{}, errors.New("the SMTP address has a port that does not exist")
		}
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
		if s.user == "" || s.password == "" || hasControl(s.user+s.password) {
			return Server{}, errors.New("the SMTP address has credentials, but not both a user and a password that can be sent")
		}
	}
	err = s.readOptions(u.RawQuery)
	if err != nil {
		return Server{}, err
	}
	return s, nil
}

func (s *Server) readOptions(query string) error {
	options, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the options of the SMTP address cannot be read")
	}
	for name, values := range options {
		if name != "starttls" {
			return errors.New("the SMTP address has an unknown option; there is only starttls (percent-encode ? in user and password)")
		}
		if s.security == fromTheStart {
			return errors.New("smtps:// is TLS from the start; leave starttls out")
		}
		switch values[len(values)-1] {
		case "require":
			s.security = required
		case "never":
			s.security = neverTLS
		default:
			return errors.New("starttls in the SMTP address must be require or never")
		}
	}
	return nil
}

// Host answers the server's name, the one its certificate must be for.
func (s Server) Host() string { return s.host }

// String answers the address with the password redacted.
func (s Server) String() string {
	var b strings.Builder
	b.WriteString("smtp")
	if s.security == fromTheStart {
		b.WriteByte('s')
	}
	b.WriteString("://")
	if s.user != "" {
		b.WriteString(url.User(s.user).String() + ":[redacted]@")
	}
	b.WriteString(s.dialAddress())
	switch s.security {
	case required:
		b.WriteString("?starttls=require")
	case neverTLS:
		b.WriteString("?starttls=never")
	}
	return b.String()
}

// GoString keeps %#v from printing the password.
func (s Server) GoString() string { return s.String() }

func (s Server) dialAddress() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

// needsTLS reports whether a connection that could not be encrypted must not be used.
func (s Server) needsTLS() bool {
	return s.security == required || s.security == whenOffered && s.user != ""
}
