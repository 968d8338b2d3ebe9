package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"sollecito/internal/config"
)

// usageError says that what was typed could not be understood.
type usageError struct{ said string }

func (u *usageError) Error() string { return u.said }

func misused(format string, args ...any) error {
	return &usageError{said: fmt.Sprintf(format, args...)}
}

// usage is a command's flags and the text of its --help.
type usage struct {
	*flag.FlagSet
	synopsis string            // what stands after "sollecito"
	about    string            // what it does, in a few sentences
	settings map[string]string // given as flags, by the setting's name; nil for a command that takes none
	listed   bool              // --help lists the settings too
}

func newUsage(synopsis, about string) *usage {
	name, _, _ := strings.Cut(synopsis, " ")
	u := &usage{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), synopsis: synopsis, about: about}
	u.SetOutput(io.Discard) // the error it returns is told once, by run
	u.FlagSet.Usage = func() {}
	return u
}

// withSettings lets every setting of the configuration be given as a flag as well.
func (u *usage) withSettings() *usage {
	u.settings = config.Flags(u.FlagSet)
	return u
}

// parse reads flags and the words between them, in any order. It answers the words; flag.ErrHelp after it has
// printed the help that was asked for.
func (u *usage) parse(p program, args []string) ([]string, error) {
	var words []string
	for {
		err := u.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			u.help(p.out)
			return nil, err
		}
		if err != nil {
			return nil, misused("%s", err)
		}
		rest := u.Args()
		if len(rest) == 0 {
			return words, nil
		}
		if len(rest) < len(args) && args[len(args)-len(rest)-1] == "--" {
			return append(words, rest...), nil
		}
		words = append(words, rest[0])
		args = rest[1:]
	}
}

// parseNone is parse for a command that takes no words.
func (u *usage) parseNone(p program, args []string) error {
	words, err := u.parse(p, args)
	if err == nil && len(words) > 0 {
		return misused("it takes no %q", words[0])
	}
	return err
}

// ofDeed refuses a flag of another deed than the one that was asked for, which would change nothing; deeds says whose each is.
func (u *usage) ofDeed(asked string, deeds map[string]string) error {
	var err error
	u.Visit(func(f *flag.Flag) {
		deed := deeds[f.Name]
		if err == nil && deed != "" && deed != asked {
			err = misused("-%s is a flag of %s %s; leave it out", f.Name, u.Name(), deed)
		}
	})
	return err
}

func (u *usage) help(w io.Writer) {
	fmt.Fprintf(w, "Usage: sollecito %s\n\n%s\n", u.synopsis, u.about)
	isSetting := map[string]bool{}
	if u.settings != nil {
		all := flag.NewFlagSet("", flag.ContinueOnError)
		config.Flags(all)
		all.VisitAll(func(f *flag.Flag) { isSetting[f.Name] = true })
	}
	own := false
	u.VisitAll(func(f *flag.Flag) {
		if isSetting[f.Name] && !u.listed {
			return
		}
		if !own {
			fmt.Fprint(w, "\nFlags:\n")
			own = true
		}
		kind, about := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  --%s\n        %s", strings.TrimSpace(f.Name+" "+strings.ToUpper(kind)), about)
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(w, " (%s)", f.DefValue)
		}
		fmt.Fprintln(w)
	})
	if u.settings != nil {
		fmt.Fprint(w, "\nEvery setting is the environment variable SOLLECITO_NAME or the flag --name;\n`sollecito config --table` lists them with their defaults.\n")
	}
}

// configuration reads the settings; all that is wrong with those that are named makes one error of a line each. No
// names means all settings.
func (u *usage) configuration(p program, names ...string) (*config.Config, error) {
	c, err := config.Read(p.environ, u.settings)
	faults := split(err)
	unread := map[string]bool{}
	for _, f := range faults {
		unread[settingOf(f)] = true
	}
	for _, f := range split(c.Check()) {
		if !unread[settingOf(f)] { // one line per setting: what could not be read is missing too
			faults = append(faults, f)
		}
	}
	var told []error
	for _, f := range faults {
		if len(names) == 0 || slices.Contains(names, strings.TrimPrefix(settingOf(f), "SOLLECITO_")) {
			told = append(told, f)
		}
	}
	return c, errors.Join(told...)
}

// split takes a joined error apart.
func split(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}

// settingOf is the variable that a fault of the configuration is about.
func settingOf(fault error) string {
	name, _, _ := strings.Cut(fault.Error(), ":")
	return strings.TrimSuffix(name, "_FILE")
}
