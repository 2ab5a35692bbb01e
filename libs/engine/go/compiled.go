package main

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

const (
	// How many compiled templates are kept: those of some ten projects. A courier meets the others as they come.
	maxCompiled = 64
	// How long their sources may be together. Compiled they take many times that, of a memory that the next job needs as well.
	maxCompiledBytes = 512 << 10
)

type digest = [sha256.Size]byte

type compiledEntry struct {
	key   digest
	value any
	bytes int
}

var (
	compiled      = map[digest]*list.Element{}
	compiledUses  = list.New() // the latest used first
	compiledBytes = 0
)

// compileOnce returns what compile made of the same parts before, or makes it. Failures are not kept.
func compileOnce[T any](compile func() (T, error), parts ...string) (T, error) {
	key := digestOf(parts)
	if element, found := compiled[key]; found {
		compiledUses.MoveToFront(element)
		return element.Value.(compiledEntry).value.(T), nil
	}
	value, err := compile()
	if err != nil {
		return value, err
	}
	keepCompiled(compiledEntry{key, value, len(strings.Join(parts, ""))})
	return value, nil
}

// keepCompiled makes room by dropping what was used longest ago. What is too long by itself is compiled for each use.
func keepCompiled(entry compiledEntry) {
	if entry.bytes > maxCompiledBytes {
		return
	}
	compiled[entry.key] = compiledUses.PushFront(entry)
	compiledBytes += entry.bytes
	for compiledUses.Len() > maxCompiled || compiledBytes > maxCompiledBytes {
		oldest := compiledUses.Remove(compiledUses.Back()).(compiledEntry)
		delete(compiled, oldest.key)
		compiledBytes -= oldest.bytes
	}
}

// digestOf hashes the parts with their lengths, so that no two lists of parts look alike.
func digestOf(parts []string) digest {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write([]byte(part))
	}
	return digest(hash.Sum(nil))
}
