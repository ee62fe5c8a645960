package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"picket/evidence"
)

// caseWriter is the form of a case that the name of its file asks for.
func caseWriter(path string) (func(io.Writer, *evidence.Case) error, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case path == "-", ext == ".json":
		return writeCaseJSON, nil
	case ext == ".jsonl":
		return writeCaseLine, nil
	case ext == ".zip":
		return writeCaseZip, nil
	}
	return nil, fmt.Errorf("-o %s: want a name that ends in .zip, .json or .jsonl", path)
}

func writeCaseJSON(w io.Writer, c *evidence.Case) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(c)
}

// writeCaseLine writes the evidence alone, as classify reads it.
func writeCaseLine(w io.Writer, c *evidence.Case) error {
	if c.Proof == nil {
		return errors.New("the evidence of this episode is not kept")
	}
	_, err := fmt.Fprintf(w, "%s\n", c.Proof.Evidence)
	return err
}

const caseReadme = `A case of picket, exported from the evidence store of a sensor.

case.json        the sentence, the reasons, the transfers with their four bases, the
                 hashes of signatures, policy and databases, the entries of the chain
evidence.jsonl   what the verdict rests on; with the same signatures
                     picket classify evidence.jsonl
                 gives the verdict that stands under "proof" in case.json
packets.pcapng   the first packets of the transfers, where they are kept; what could
                 tell who somebody is was overwritten with x. picket read, tcpdump and
                 Wireshark read it

The head of the chain when this was exported is "head" in case.json:
    picket evidence verify --anchor HEAD
on that sensor tells whether the chain still leads there.
`

// writeCaseZip writes one archive with everything in the form of its own.
func writeCaseZip(w io.Writer, c *evidence.Case) error {
	z := zip.NewWriter(w)
	packets := c.Packets
	whole := *c
	whole.Packets = nil
	add := func(name string, write func(io.Writer) error) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: c.Exported})
		if err != nil {
			return err
		}
		return write(f)
	}
	err := errors.Join(
		add("README.txt", func(f io.Writer) error { _, err := io.WriteString(f, caseReadme); return err }),
		add("case.json", func(f io.Writer) error { return writeCaseJSON(f, &whole) }),
	)
	if c.Proof != nil {
		err = errors.Join(err, add("evidence.jsonl", func(f io.Writer) error { return writeCaseLine(f, c) }))
	}
	if len(packets) > 0 {
		err = errors.Join(err, add("packets.pcapng", func(f io.Writer) error { _, err := f.Write(packets); return err }))
	}
	return errors.Join(err, z.Close())
}
