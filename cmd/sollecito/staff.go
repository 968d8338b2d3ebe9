package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"sollecito/internal/fault"
	"sollecito/internal/link"
	"sollecito/internal/staff"
)

func staffCommand(p program, args []string) error {
	u := newUsage("staff add EMAIL [--name NAME] [--role ROLE] | staff list | staff disable EMAIL | staff reset-factor EMAIL",
		"Says who may enter the admin pages. add prints an address at which that person sets a password, once, within thirty\n"+
			"minutes, and then a second factor. Asked again for the same person it prints a fresh address and the one before is\n"+
			"dead; the password stays until the new address is used, and their sessions end then. The second factor stays in any\n"+
			"case: add never skips it. Another role signs them out at once. Somebody disabled comes back, without the old password.\n"+
			"reset-factor takes a lost second factor and its recovery codes away: make sure that it is really them who ask. Their\n"+
			"sessions end, they get a mail, and after their password they set up a new one. disable shuts somebody out at once.\n"+
			"list shows everybody with their second factor and last sign-in (UTC).").withSettings()
	name := u.String("name", "", "what customers read under answers: a `name`")
	role := u.String("role", "", "what they may do: viewer, agent, manager or admin, as `role`. Left out, members keep theirs, the first of all is admin and others are agent")
	words, err := u.parse(p, args)
	if err != nil {
		return err
	}
	deed, email := "", ""
	switch {
	case len(words) == 2 && (words[0] == "add" || words[0] == "disable" || words[0] == "reset-factor"):
		deed, email = words[0], words[1]
	case len(words) == 1 && words[0] == "list":
		deed = "list"
	default:
		return misused("say add, disable or reset-factor and an email address, or list")
	}
	err = u.ofDeed(deed, map[string]string{"name": "add", "role": "add"})
	if err != nil {
		return err
	}
	needs := []string{"DATABASE_URL"}
	if deed == "add" {
		needs = append(needs, "BASE_URL") // the address that is printed begins with it
	}
	c, err := u.configuration(p, needs...)
	if err != nil {
		return err
	}
	db, err := openDatabase(p, c, deed == "add")
	if err != nil {
		return err
	}
	defer db.Close()
	members, err := staff.NewMembers(db, "", time.Now, time.Now)
	if err != nil {
		return err
	}
	switch deed {
	case "list":
		return listStaff(p, members)
	case "disable":
		err = members.Disable(p.ctx, staff.ByCommand(), email)
		if err != nil {
			return plain(err)
		}
		fmt.Fprintf(p.out, "%s is shut out.\n", email)
		return nil
	case "reset-factor":
		err = members.ResetFactor(p.ctx, staff.ByCommand(), email)
		if err != nil {
			return plain(err)
		}
		fmt.Fprintf(p.out, "%s has no second factor any more and sets up a new one after the next password.\n", email)
		return nil
	}
	return addStaff(p, members, link.NewAddresses(c.BaseURL), email, *name, staff.Role(*role))
}

func addStaff(p program, members *staff.Members, addresses link.Addresses, email, name string, role staff.Role) error {
	token, err := members.Add(p.ctx, email, name, role)
	if err != nil {
		return plain(err)
	}
	member, err := members.CheckEnrolment(p.ctx, token) // what became of them, the role above all
	if err != nil {
		return plain(err)
	}
	fmt.Fprintf(p.out, "%s, %s, sets a password here, once, within 30 minutes:\n%s\n", member.Email, member.Role, addresses.Enrolment(token))
	return nil
}

func listStaff(p program, members *staff.Members) error {
	all, err := members.List(p.ctx)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "EMAIL\tNAME\tROLE\tSTATUS\tSECOND FACTOR\tLAST SIGN-IN")
	for _, m := range all {
		status := "active"
		switch {
		case m.Disabled:
			status = "disabled"
		case !m.Enrolled:
			status = "invited"
		}
		factor, last := "no", "never"
		if m.Factor {
			factor = "yes"
		}
		if m.SignedInAt > 0 {
			last = time.Unix(m.SignedInAt, 0).UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", m.Email, m.Name, m.Role, status, factor, last)
	}
	return t.Flush()
}

// plain is the sentence of a failure that a person may be told of, else the failure itself.
func plain(err error) error {
	said := fault.MessageOf(err)
	if said == "" {
		return err
	}
	return errors.New(said)
}
