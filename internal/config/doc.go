// Package config reads the environment and the flags once, checks every value, and says all that is wrong with
// them at once, a line per fault. The one struct below also makes the documented table and the redacted print.
package config
