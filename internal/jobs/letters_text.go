package jobs

import (
	"strings"

	"sollecito/internal/campaign"
	"sollecito/internal/l10n"
	"sollecito/views/email"
)

// ownWords are the merchant's own words of a step in the reader's language, nil where there are none: then the shipped
// words of that language stand, and never the merchant's of another.
func ownWords(texts map[string]campaign.Text, reader *l10n.Locale) *email.OwnWords {
	text, is := texts[reader.Language()]
	if !is {
		base, _, _ := strings.Cut(reader.Language(), "-")
		text, is = texts[base]
	}
	if !is {
		return nil
	}
	told := text.Read()
	return &email.OwnWords{Subject: ownPieces(told.Subject), Before: ownBlocks(told.Before), After: ownBlocks(told.After)}
}

func ownBlocks(blocks []campaign.Block) []email.OwnBlock {
	var all []email.OwnBlock
	for _, b := range blocks {
		all = append(all, email.OwnBlock{Mark: b.Mark, Pieces: ownPieces(b.Pieces)})
	}
	return all
}

func ownPieces(pieces []campaign.Piece) []email.OwnPiece {
	var all []email.OwnPiece
	for _, p := range pieces {
		all = append(all, email.OwnPiece{Text: p.Text, Variable: p.Variable, Strong: p.Strong})
	}
	return all
}
