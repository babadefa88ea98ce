package main

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"
)

// The parts of a CycloneDX 1.6 bill of materials that ours has, in the order
// of the specification: https://cyclonedx.org/docs/1.6/json/

type bom struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"` // RFC 3339, UTC
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licences   []licence  `json:"licenses,omitempty"`
	Purl       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type licence struct {
	Licence struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

func licensed(id string) []licence {
	var l licence
	l.Licence.ID = id
	return []licence{l}
}

// sha256Of has a module's checksum of go.sum as cyclonedx-gomod has it too.
func sha256Of(sum string) []hash {
	if sum == "" {
		return nil
	}
	return []hash{{"SHA-256", sum}}
}

// writeBOM writes the bill of materials of version, made at a time: each
// program with its checksum and the modules in it. The same programs give the
// same bytes, so it has no serial number.
func (l *linked) writeBOM(w io.Writer, version string, at time.Time) error {
	whole := component{Type: "application", Ref: "ucspi-go", Name: "ucspi-go", Version: version, Licences: licensed("ISC")}
	for _, name := range slices.Sorted(maps.Keys(l.settings)) {
		whole.Properties = append(whole.Properties, property{"build:" + name, l.settings[name]})
	}
	b := bom{
		Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata: metadata{at.Format(time.RFC3339), whole},
	}
	root := dependency{Ref: whole.Ref}
	for _, p := range l.programs {
		c := component{Type: "application", Ref: "program:" + p.name, Name: p.name, Version: version, Hashes: sha256Of(p.sha256), Licences: licensed("ISC")}
		b.Components = append(b.Components, c)
		root.DependsOn = append(root.DependsOn, c.Ref)
		b.Dependencies = append(b.Dependencies, dependency{c.Ref, p.modules})
	}
	for _, m := range l.modules {
		b.Components = append(b.Components, component{
			Type: "library", Ref: m.purl(), Name: m.path, Version: m.version,
			Hashes: sha256Of(m.sha256), Licences: licensed(m.licence), Purl: m.purl(),
		})
	}
	b.Dependencies = append(b.Dependencies, root)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(b)
}
