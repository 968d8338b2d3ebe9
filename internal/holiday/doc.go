// Package holiday knows on which days of a year a country rests, so that nobody is reminded of money then. The
// dates come from a kept library, which only this room imports; the rest of the house asks Almanac.Of.
package holiday
