package sandbox

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// The page of an invoice PDF, in points: A4, with the columns of its table.
const (
	pdfWidth, pdfHeight = 595, 842
	pdfLeft             = 56
	pdfRight            = 539
)

// invoicePDF draws the sheet as a PDF of one page, or of as many as its lines
// need. Letters that the standard fonts lack show as a question mark.
func invoicePDF(sheet invoiceSheet) []byte {
	pages := pdfPages(sheet)
	// Objects 1 to 4 are catalog, page tree and the two fonts; each page adds
	// itself and its content.
	var kids []string
	for i := range pages {
		kids = append(kids, fmt.Sprintf("%d 0 R", 5+2*i))
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R /Lang (en) >>",
		fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(pages)),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
	}
	for i, content := range pages {
		objects = append(objects,
			fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents %d 0 R >>", pdfWidth, pdfHeight, 6+2*i),
			fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content))
	}
	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	var starts []int
	for i, object := range objects {
		starts = append(starts, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, start := range starts {
		fmt.Fprintf(&out, "%010d 00000 n \n", start)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return out.Bytes()
}

// pdfPages returns the drawing commands of each page.
func pdfPages(sheet invoiceSheet) []string {
	var pages []string
	var page pdfPage
	page.text(2, 20, pdfLeft, 780, sheet.Merchant)
	page.text(1, 11, pdfLeft, 756, "Invoice "+sheet.Number)
	if sheet.Customer != "" {
		page.text(1, 11, pdfLeft, 740, "For "+sheet.Customer)
	}
	page.text(2, 14, pdfLeft, 712, sheet.Headline)
	y := 680
	row := func(font int, left, right string) {
		if y < 60 {
			pages = append(pages, page.String())
			page, y = pdfPage{}, 780
		}
		page.text(font, 10, pdfLeft, y, left)
		page.textRight(font, 10, pdfRight, y, right)
		y -= 18
	}
	for _, line := range sheet.Lines {
		row(1, line.Description, line.Amount)
	}
	row(2, "Total", sheet.Total)
	if sheet.Paid != "" {
		row(2, "Paid", sheet.Paid)
	}
	switch sheet.State {
	case "open":
		row(2, "Amount due", sheet.AmountDue)
	case "paid":
		row(1, strings.TrimSpace("Paid "+sheet.PaidOn), "")
	case "closed":
		row(1, sheet.Closed, "")
	}
	row(1, "Sandbox: no money moves here.", "")
	return append(pages, page.String())
}

// pdfPage collects the drawing commands of one page.
type pdfPage struct{ strings.Builder }

func (p *pdfPage) text(font, size, x, y int, text string) {
	fmt.Fprintf(p, "BT /F%d %d Tf %d %d Td (%s) Tj ET\n", font, size, x, y, pdfString(text))
}

// textRight sets the text so that it ends at x, measured with the width of a
// digit, which is what amounts are made of.
func (p *pdfPage) textRight(font, size, x, y int, text string) {
	const digitWidth = 556 // thousandths of the size, in both fonts
	width := len([]rune(text)) * digitWidth * size / 1000
	p.text(font, size, x-width, y, text)
}

// pdfString writes text in the fonts' encoding, with PDF's own signs escaped.
func pdfString(text string) string {
	encoded, err := encoding.ReplaceUnsupported(charmap.Windows1252.NewEncoder()).String(text)
	if err != nil {
		encoded = "?"
	}
	// The encoder's sign for a letter it lacks.
	encoded = strings.ReplaceAll(encoded, "\x1a", "?")
	return strings.NewReplacer(`\`, `\\`, `(`, `\(`, `)`, `\)`, "\r", " ", "\n", " ").Replace(encoded)
}
