package main

import (
	"fmt"
	"regexp"
	"strings"
)

// pluralCases writes the cases of a Go switch for CLDR's cardinal rules, for whole numbers alone. Of UTS 35's
// operands n and i are then the number itself, and v, w, f, t, c and e are zero.
func pluralCases(rules node) string {
	var b strings.Builder
	for _, category := range []string{"zero", "one", "two", "few", "many"} {
		rule, ok := rules.find("pluralRule-count-" + category)
		if !ok {
			continue
		}
		condition, _, _ := strings.Cut(rule.text(), "@")
		expression := anyOf(rule, strings.TrimSpace(condition))
		if expression != "false" {
			fmt.Fprintf(&b, "case %s:\nreturn %s\n", expression, category)
		}
	}
	return b.String()
}

func anyOf(at node, condition string) string {
	var alternatives []string
	for _, alternative := range strings.Split(condition, " or ") {
		e := allOf(at, alternative)
		if e != "false" {
			alternatives = append(alternatives, e)
		}
	}
	if len(alternatives) == 0 {
		return "false"
	}
	return strings.Join(alternatives, " || ")
}

func allOf(at node, condition string) string {
	var parts []string
	for _, relation := range strings.Split(condition, " and ") {
		e := relationOf(at, strings.TrimSpace(relation))
		switch e {
		case "true":
		case "false":
			return "false"
		default:
			parts = append(parts, e)
		}
	}
	return strings.Join(parts, " && ")
}

// relationOf translates "i % 10 = 2..4" and its like; a relation between operands that are zero is decided here.
func relationOf(at node, relation string) string {
	m := regexp.MustCompile(`^([nivwftce])(?: % (\d+))? (!?=) ([\d.,]+)$`).FindStringSubmatch(relation)
	if m == nil {
		at.fail("plural rule %q is not understood", relation)
		return "false"
	}
	operand, modulus, negated, ranges := m[1], m[2], m[3] == "!=", m[4]
	if operand != "n" && operand != "i" {
		holds := strings.HasPrefix(ranges, "0")
		return fmt.Sprint(holds != negated)
	}
	left := "n"
	if modulus != "" {
		left = "n%" + modulus
	}
	var choices []string
	for _, r := range strings.Split(ranges, ",") {
		low, high, isRange := strings.Cut(r, "..")
		switch {
		case !isRange && negated:
			choices = append(choices, left+" != "+low)
		case !isRange:
			choices = append(choices, left+" == "+low)
		case negated:
			choices = append(choices, fmt.Sprintf("(%s < %s || %s > %s)", left, low, left, high))
		default:
			choices = append(choices, fmt.Sprintf("%s >= %s && %s <= %s", left, low, left, high))
		}
	}
	if negated {
		return strings.Join(choices, " && ")
	}
	joined := strings.Join(choices, " || ")
	if len(choices) > 1 {
		return "(" + joined + ")"
	}
	return joined
}
