package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
)

// field is one setting: where it comes from and where it goes.
type field struct {
	env, def, help string
	need, secret   bool
	address        bool // may hold a password before its host
	value          reflect.Value
}

func fields(c *Config) []field {
	v := reflect.ValueOf(c).Elem()
	var all []field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		env := tag.Get("env")
		if env == "-" {
			continue
		}
		t := v.Field(i).Type()
		all = append(all, field{
			env: env, def: tag.Get("default"), help: tag.Get("help"), need: tag.Get("need") != "", address: tag.Get("shown") == "redacted",
			secret: t == reflect.TypeFor[Secret]() || t == reflect.TypeFor[[]Secret](), value: v.Field(i),
		})
	}
	return all
}

func (f field) flag() string { return strings.ToLower(strings.ReplaceAll(f.env, "_", "-")) }

func (f field) empty() bool { return f.value.Len() == 0 }

func (f field) set(text string) {
	if f.value.Kind() != reflect.Slice {
		f.value.SetString(text)
		return
	}
	f.value.SetZero()
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		item := reflect.New(f.value.Type().Elem()).Elem()
		item.SetString(part)
		f.value.Set(reflect.Append(f.value, item))
	}
}

// Read fills a Config from defaults, then the environment (and the files it names for secrets), then the flags
// already declared on set by Flags. It does not check the values; Check does.
func Read(environ func(string) (string, bool), given map[string]string) (*Config, error) {
	c := &Config{}
	var faults []error
	for _, f := range fields(c) {
		f.set(f.def)
		name := "SOLLECITO_" + f.env
		value, set := environ(name)
		file, fromFile := environ(name + "_FILE")
		switch {
		case set && fromFile && value != "" && file != "":
			faults = append(faults, fmt.Errorf("%s: is given both by itself and by %s_FILE; keep one", name, name))
		case fromFile && file != "":
			data, err := os.ReadFile(file)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s_FILE: cannot be read: %v", name, err))
				continue
			}
			f.set(strings.TrimSpace(string(data)))
		case set && value != "":
			f.set(strings.TrimSpace(value))
		}
		text, ok := given[f.env]
		if ok {
			f.set(text)
		}
	}
	return c, errors.Join(faults...)
}

// Unknown answers which of these variables, each as NAME=VALUE, look like settings and are none: a mistyped one would
// otherwise leave its default in force without a word. What the tests alone are told is left out.
func Unknown(environment []string) []string {
	known := map[string]bool{}
	for _, f := range fields(&Config{}) {
		known["SOLLECITO_"+f.env], known["SOLLECITO_"+f.env+"_FILE"] = true, true
	}
	var unknown []string
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "SOLLECITO_") && !strings.HasPrefix(name, "SOLLECITO_TEST_") && !known[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// Flags declares a flag for every setting and answers the map its values will be found in after parsing.
func Flags(set *flag.FlagSet) map[string]string {
	given := map[string]string{}
	for _, f := range fields(&Config{}) {
		set.Func(f.flag(), f.help, func(text string) error {
			given[f.env] = text
			return nil
		})
	}
	return given
}

// Print writes every setting with its value, secrets hidden.
func (c Config) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range fields(&c) {
		fmt.Fprintf(t, "SOLLECITO_%s\t%s\n", f.env, f.shown())
	}
	return t.Flush()
}

// Format keeps every way of printing a whole Config from showing more than Print does: some addresses in it may hold a
// password.
func (c Config) Format(f fmt.State, _ rune) { _ = c.Print(f) }

// MarshalText does the same for JSON and for logs.
func (c Config) MarshalText() ([]byte, error) {
	var out bytes.Buffer
	err := c.Print(&out)
	return out.Bytes(), err
}

func (f field) shown() string {
	if f.secret && f.value.Kind() == reflect.Slice {
		return fmt.Sprintf("(%d set)", f.value.Len())
	}
	values, isList := f.value.Interface().([]string)
	if !isList {
		values = []string{fmt.Sprint(f.value.Interface())}
	}
	var shown []string
	for _, v := range values {
		if f.address {
			v = redacted(v)
		}
		shown = append(shown, v)
	}
	return strings.Join(shown, ",")
}

// Table writes the documented table of settings in Markdown.
func Table(w io.Writer) error {
	_, err := fmt.Fprint(w, "| Variable | Default | What it is |\n|---|---|---|\n")
	for _, f := range fields(&Config{}) {
		if err != nil {
			return err
		}
		def := f.def
		if f.need {
			def = "required"
		}
		_, err = fmt.Fprintf(w, "| `SOLLECITO_%s` | %s | %s |\n", f.env, def, f.help)
	}
	return err
}
