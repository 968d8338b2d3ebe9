// Package disk asks the system how much room is left on a disk, which wears nothing and costs next to nothing.
package disk

// MiB is a mebibyte in bytes.
const MiB = 1 << 20

// Low is what must be left at least: below it the database soon cannot keep anything.
const Low = 100 * MiB
