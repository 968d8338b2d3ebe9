package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Files are the files as they stand in this folder, by their plain names ("pay.css", "embed/v1.js").
//
//go:embed *.css *.js *.svg embed/*.js
var Files embed.FS

// Prefix is the path below which Assets serves.
const Prefix = "/static/"

// Assets serves Files under names that carry their content's hash. It is made once, at the start, and never changes.
type Assets struct {
	byName map[string]*asset // plain name
	byPath map[string]*asset // path with hash, Prefix included
}

// asset is one file, ready to be sent.
type asset struct {
	path        string
	contentType string
	etag        string
	plain       []byte
	zipped      func() []byte // gzip, made when it is first asked for; nil when it would not be smaller
}

// contentTypes are the only kinds of file there are here. Naming them keeps the answers independent of the
// machine's own table of types.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
}

// New reads and hashes every embedded file, and the merchant's own, by their plain names: these are added to the embedded
// ones or stand in their place. It fails only for a file of a kind it does not know.
func New(own map[string][]byte) (*Assets, error) {
	a := &Assets{byName: map[string]*asset{}, byPath: map[string]*asset{}}
	err := fs.WalkDir(Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return nil
		}
		_, replaced := own[name]
		if replaced {
			return nil
		}
		content, err := Files.ReadFile(name)
		if err != nil {
			return err
		}
		return a.add(name, content)
	})
	for name, content := range own {
		err = errors.Join(err, a.add(name, content))
	}
	if err != nil {
		return nil, fmt.Errorf("prepare static files: %w", err)
	}
	return a, nil
}

func (a *Assets) add(name string, content []byte) error {
	extension := path.Ext(name)
	contentType, known := contentTypes[extension]
	if !known {
		return fmt.Errorf("%s: no content type for %q", name, extension)
	}
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:6])
	file := &asset{
		path:        Prefix + strings.TrimSuffix(name, extension) + "." + hash + extension,
		contentType: contentType,
		etag:        hash,
		plain:       content,
		zipped:      sync.OnceValue(func() []byte { return compress(content) }),
	}
	a.byName[name] = file
	a.byPath[file.path] = file
	return nil
}

// compress answers the content as gzip, nil when that would not be smaller.
func compress(content []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil // there is such a level
	}
	_, err = w.Write(content)
	err = errors.Join(err, w.Close())
	if err != nil || b.Len() >= len(content) {
		return nil // memory takes everything
	}
	return b.Bytes()
}

// Path answers the address a file is served at, from its plain name: "pay.css" is at "/static/pay.3f2a1c09b7de.css".
// A name there is no file for answers an address that is not found.
func (a *Assets) Path(name string) string {
	file, ok := a.byName[name]
	if !ok {
		return Prefix + name
	}
	return file.path
}

// ServeHTTP answers GET and HEAD for the addresses Path gives, and 404 for every other. Answers may be kept for a
// year: the same address never has other content.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := a.byPath[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	file.serve(w, r, "public, max-age=31536000, immutable")
}

// Plain serves one file at an address of the caller's choosing, which stays the same when the content changes.
// The cacheControl header says how long a browser may use it without asking again. It fails when there is no such file.
func (a *Assets) Plain(name, cacheControl string) (http.Handler, error) {
	file, ok := a.byName[name]
	if !ok {
		return nil, fmt.Errorf("no static file %q", name)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file.serve(w, r, cacheControl)
	}), nil
}

func (f *asset) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	body, etag := f.plain, `"`+f.etag+`"`
	smaller := f.zipped()
	zipped := smaller != nil && acceptsGzip(r.Header.Values("Accept-Encoding"))
	if zipped {
		body, etag = smaller, `"`+f.etag+`-gzip"`
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", cacheControl)
	h.Set("ETag", etag)
	if smaller != nil {
		h.Set("Vary", "Accept-Encoding")
	}
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if zipped {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	// An error here means that the browser went away; there is nobody left to tell.
	_, _ = w.Write(body)
}

// acceptsGzip reads Accept-Encoding: gzip (or *) named, and not with a weight of zero.
func acceptsGzip(headers []string) bool {
	accepts := false
	for coding := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "*" {
			continue
		}
		weight := strings.ReplaceAll(parameters, " ", "")
		refused := strings.HasPrefix(weight, "q=0") && strings.Trim(weight[len("q=0"):], ".0") == ""
		if name == "gzip" {
			return !refused
		}
		accepts = !refused
	}
	return accepts
}

// matches compares If-None-Match weakly, as RFC 9110 section 13.1.2 asks.
func matches(ifNoneMatch, etag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == etag || candidate == "*" {
			return true
		}
	}
	return false
}
