// Package apikey decides which of the merchant's own programs may ask below /api/v1. A key is made by a person and shown to
// them once; what is kept of it is its hash, its name, its first characters and when it was last used. It reads and changes
// nothing, and works until somebody ends it.
package apikey
