// Package static holds the files browsers fetch (styles, the pages' script, the banner's script, pictures) inside
// the program, so that one binary is the whole portal. Each file is served under a name that carries a hash of its
// content and may therefore be kept by a browser for ever: a new version has a new name. It knows nothing of the
// pages that use the files.
package static
