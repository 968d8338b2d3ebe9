// Package explain says in the reader's language what the engine decided and why. The engine keeps codes; the words
// stand with all others in internal/l10n, so that staff pages, the customer's page and the command say the same.
package explain
