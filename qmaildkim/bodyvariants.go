package qmaildkim

import (
	"io"
	"strconv"

	"ucspi-go/internal/canon"
	"ucspi-go/internal/transfer"
)

// A bodyVariant is a way in which a body may have been altered, undone.
type bodyVariant struct {
	alteration alteration
	plain      bool       // the body as it is
	form       canon.Form // its algorithm is the signature's
	other      bool       // it is the other algorithm

	// filter is what the body passes on its way to w, nil for nothing.
	filter func(s *bodySearch, w io.Writer) io.WriteCloser

	// when says whether the body has what the variant undoes; nil for always.
	when func(s *bodySearch, a canon.Algorithm) bool

	cost int64 // in passes over the body
}

// bodyVariants are tried in this order. The first finds out which of the
// others need not be.
var bodyVariants = []bodyVariant{
	{plain: true, cost: 1},
	{
		alteration: alteration{"stray-cr", "without the CRs that end no line", "CRs were added"},
		form:       canon.Form{Ends: canon.SkipCR}, when: hasBareCR, cost: 1,
	}, {
		alteration: alteration{"bare-cr", "with each CR as a line end", "the signer or a relay took CR for one"},
		form:       canon.Form{Ends: canon.AnyCR}, when: hasBareCR, cost: 1,
	}, {
		alteration: alteration{"cr-cr-lf", "with CR CR LF for CR LF", "a CR before each line end was lost"},
		form:       canon.Form{Ends: canon.OnlyLF}, when: hasCRLF, cost: 1,
	}, {
		alteration: alteration{"bare-lf", "with bare LF as text", "the signer took only CR LF for a line end"},
		form:       canon.Form{Ends: canon.OnlyCRLF}, when: hasBothEnds, cost: 1,
	},
	undoVariant(transfer.Undo{Quoted: true, Base64: true, Label: "8bit"}, isMIME),
	undoVariant(transfer.Undo{Quoted: true, Base64: true, Label: "7bit"}, hasEncodedPart),
	undoVariant(transfer.Undo{Quoted: true, Label: "8bit"}, hasBothEncodings),
	undoVariant(transfer.Undo{Base64: true, Label: "8bit"}, hasBothEncodings),
	{
		alteration: alteration{"whitespace", "without blanks at line ends", "blanks were added there"},
		filter:     func(_ *bodySearch, w io.Writer) io.WriteCloser { return &blankTrim{w: w} },
		when:       func(s *bodySearch, a canon.Algorithm) bool { return a == canon.Simple && s.traits.blanks }, cost: 1,
	}, {
		alteration: alteration{"whitespace", `with "-- " for "--"`, "blanks at line ends were removed"},
		filter:     editLines('-', restoreDashes),
		when:       func(s *bodySearch, a canon.Algorithm) bool { return a == canon.Simple && s.traits.dashes }, cost: 1,
	}, {
		alteration: alteration{"from-escaped", `with "From " for ">From "`, "lines that begin with From were escaped"},
		filter:     editLines('>', unescapeFrom),
		when:       func(s *bodySearch, _ canon.Algorithm) bool { return s.traits.from }, cost: 1,
	}, {
		alteration: alteration{"dots", `with "." for ".." where lines begin`, "dots were doubled"},
		filter:     editLines('.', unstuffDots),
		when:       func(s *bodySearch, _ canon.Algorithm) bool { return s.traits.dots }, cost: 1,
	}, {
		alteration: alteration{"lf", "with LF for line ends", "the signer hashed lines as they lie on its disk"},
		form:       canon.Form{LF: true}, cost: 1,
	}, {
		alteration: alteration{"wrong-c", "with the other body canonicalization", "the signer hashed otherwise than c= says"},
		other:      true, cost: 1,
	},
}

func hasBareCR(s *bodySearch, _ canon.Algorithm) bool { return s.traits.bareCR.found() }
func hasCRLF(s *bodySearch, _ canon.Algorithm) bool   { return s.traits.crlf > 0 }
func hasBothEnds(s *bodySearch, _ canon.Algorithm) bool {
	return s.traits.crlf > 0 && s.traits.lf > s.traits.crlf
}

// undoVariant is a body of which the relay encoded what undo decodes.
func undoVariant(undo transfer.Undo, when func(*bodySearch, canon.Algorithm) bool) bodyVariant {
	how := "with the body decoded"
	switch {
	case !undo.Base64:
		how = "with what is quoted-printable decoded"
	case !undo.Quoted:
		how = "with what is base64 decoded"
	case undo.Label != "8bit":
		how += " and called " + undo.Label
	}
	return bodyVariant{
		alteration: alteration{"reencoded", how, "the body was encoded anew"},
		filter: func(s *bodySearch, w io.Writer) io.WriteCloser {
			return &undoing{transfer.NewWriter(w, s.mime.contentType, s.mime.encoding, undo), s}
		},
		when: when, cost: 2,
	}
}

// An undoing decodes and tells the search what there was to decode.
type undoing struct {
	*transfer.Writer
	search *bodySearch
}

func (u *undoing) Close() error {
	u.search.encoded.quoted, u.search.encoded.base64 = u.Found()
	return u.Writer.Close()
}

func isMIME(s *bodySearch, _ canon.Algorithm) bool {
	return s.mime.encoded() || s.mime.boundary() != ""
}

// hasEncodedPart holds for parts that have a header of their own, in which
// their encoding is named.
func hasEncodedPart(s *bodySearch, _ canon.Algorithm) bool {
	return s.mime.boundary() != "" && (s.encoded.quoted || s.encoded.base64)
}

func hasBothEncodings(s *bodySearch, _ canon.Algorithm) bool {
	return s.encoded.quoted && s.encoded.base64
}

func editLines(first byte, edit func([]byte) []byte) func(*bodySearch, io.Writer) io.WriteCloser {
	return func(_ *bodySearch, w io.Writer) io.WriteCloser { return &lineEdit{w: w, first: first, edit: edit} }
}

// footer is the alteration of a body to which lines were added.
func footer(lines int) alteration {
	how := "without the last line"
	if lines > 1 {
		how = "without the last " + strconv.Itoa(lines) + " lines"
	}
	return alteration{"footer", how, "a footer was added"}
}

// footerParts is that of one to which parts were added.
func footerParts(parts int) alteration {
	how := "without the last part"
	if parts > 1 {
		how = "without the last " + strconv.Itoa(parts) + " parts"
	}
	return alteration{"footer", how, "a footer was added"}
}

// beyondLength is that of a body of which l= leaves so many bytes unsigned.
func beyondLength(n int64) alteration {
	if n == 0 {
		return alteration{"length", "but for l=", "l= covers the whole body and is not honoured"}
	}
	return alteration{"length", "up to its l=", strconv.FormatInt(n, 10) + " bytes were added behind it"}
}
