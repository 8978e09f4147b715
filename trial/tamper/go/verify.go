// Verifies published logs with golang.org/x/mod/sumdb alone: one request a line, one answer a line.
//
// Request: directory, verifier key (Ed25519), "complete" or "partial", file of a kept checkpoint or "-",
// separated by tabs. Answer: "ok", or "bad" and why.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// A tile or bundle that was never published says nothing against a log with holes.
var errNotPublished = errors.New("not published")

func main() {
	requests := bufio.NewScanner(os.Stdin)
	requests.Buffer(make([]byte, 1<<16), 1<<20)
	for requests.Scan() {
		fields := strings.Split(requests.Text(), "\t")
		if len(fields) != 4 {
			fmt.Println("no request")
			continue
		}
		if err := verify(fields[0], fields[1], fields[2] == "complete", fields[3]); err != nil {
			fmt.Println("bad", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok")
		}
	}
}

func verify(dir, key string, complete bool, kept string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	tree, err := open(filepath.Join(dir, "checkpoint"), verifier)
	if err != nil {
		return err
	}
	tiles := &tileFiles{dir: dir, complete: complete}
	hashes := tlog.TileHashReader(tree, tiles)
	tolerate := func(err error) error {
		if !complete && errors.Is(err, errNotPublished) {
			return nil
		}
		return err
	}
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		first := tile.N << height
		indexes := make([]int64, tile.W)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(tile.L*height, first+int64(i))
		}
		if _, err := hashes.ReadHashes(indexes); tolerate(err) != nil {
			return err
		}
	}
	for first := int64(0); first < tree.N; first += width {
		if err := tolerate(bundle(tiles, hashes, first, tree.N)); err != nil {
			return err
		}
	}
	if kept == "-" {
		return nil
	}
	old, err := open(kept, verifier)
	if err != nil {
		return err
	}
	if old.N > tree.N {
		return fmt.Errorf("rolled back from %d to %d", old.N, tree.N)
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return tolerate(err)
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

// open reads a checkpoint that the key signed, in its own name.
func open(path string, verifier note.Verifier) (tree tlog.Tree, err error) {
	message, err := os.ReadFile(path)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tree, errors.New("a checkpoint of another log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// bundle compares the entries from first on with the leaves of the tree.
func bundle(tiles *tileFiles, hashes tlog.HashReader, first, size int64) error {
	count := size - first
	if count > width {
		count = width
	}
	tile := tlog.Tile{H: height, L: 0, N: first / width, W: int(count)}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	data, err := tiles.read(path)
	if err != nil {
		return err
	}
	indexes := make([]int64, count)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	known, err := hashes.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for i := range indexes {
		if len(data) < 2 {
			return fmt.Errorf("%s is cut short", path)
		}
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return fmt.Errorf("%s is cut short", path)
		}
		if tlog.RecordHash(data[2:2+length]) != known[i] {
			return fmt.Errorf("entry %d is not the one in the tree", first+int64(i))
		}
		data = data[2+length:]
	}
	if len(data) > 0 {
		return fmt.Errorf("%s has bytes left", path)
	}
	return nil
}

// tileFiles reads tiles from a directory, by the names of C2SP tlog-tiles.
type tileFiles struct {
	dir      string
	complete bool
}

func (t *tileFiles) Height() int { return height }

func (t *tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		var err error
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		if data[i], err = t.read(path); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (t *tileFiles) read(path string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(t.dir, path))
	if err != nil && !t.complete && errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, errNotPublished)
	}
	return data, err
}
