// Package holiday knows the public holidays of countries, so that nobody is reminded of money then. The dates come from a
// maintained library, which only this package imports; everybody else asks Almanac.Of.
package holiday
