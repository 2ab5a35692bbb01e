// The engine: go-jsonnet and Go's templates behind six exported functions, built for WASI preview 1.
//
// One job at a time. A job is one frame of length-prefixed strings, written by the host where alloc said; its answer is one byte, the
// kind, and a text. Nothing here opens a file, reads an environment or writes to a stream, and the host offers no way to.
package main

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"strings"
	"unsafe"
)

// The kinds of an answer; the host knows them by number.
const (
	kindOK byte = iota
	kindParse
	kindRuntime
	kindCancel
	kindOutput
)

// The host reads no more of an error, which may quote whatever the template was given.
const maxErrorBytes = 1024

// An answer is what a job came to: its kind, and its output or error.
type answer struct {
	kind byte
	text string
}

var (
	request        []byte // where the host writes the frame; Go's collector does not move it
	response       []byte // kept until the next job, while the host copies it
	maxOutputBytes = 512 << 10
)

func main() {}

// limits tells the engine its memory, so that the collector works harder before the end is reached, and its longest output.
//
//go:wasmexport limits
func limits(memoryBytes, outputBytes uint32) {
	debug.SetMemoryLimit(int64(memoryBytes) / 4 * 3)
	maxOutputBytes = int(outputBytes)
}

//go:wasmexport alloc
func alloc(size uint32) uint32 {
	response = nil
	request = make([]byte, max(size, 1))
	return address(request)
}

//go:wasmexport jsonnet
func jsonnetJob() uint64 { return serve(3, evaluateJsonnet) }

//go:wasmexport lint
func lintJob() uint64 { return serve(2, lintJsonnet) }

//go:wasmexport format
func formatJob() uint64 { return serve(1, formatJsonnet) }

//go:wasmexport render
func renderJob() uint64 { return serve(5, renderTemplate) }

//go:wasmexport escapers
func escapersJob() uint64 { return serve(2, listEscapers) }

// serve reads the frame, does the job and returns where its answer lies: the address in the upper half, the length in the lower.
func serve(arguments int, job func(arguments []string) answer) uint64 {
	result := guarded(job, readFrame(arguments))
	request = nil
	if result.kind == kindOK && len(result.text) > maxOutputBytes {
		result = outputTooLong()
	}
	if result.kind != kindOK && len(result.text) > maxErrorBytes {
		result.text = strings.ToValidUTF8(result.text[:maxErrorBytes], "")
	}
	response = append([]byte{result.kind}, result.text...)
	return uint64(address(response))<<32 | uint64(len(response))
}

// guarded turns a panic of a library into an error: it unwinds cleanly, so the engine may go on.
func guarded(job func(arguments []string) answer, arguments []string) (result answer) {
	defer func() {
		if cause := recover(); cause != nil {
			result = answer{kindRuntime, fmt.Sprint("internal error: ", cause)}
		}
	}()
	return job(arguments)
}

// readFrame splits the request: each argument is four bytes of length, little endian, and its bytes.
func readFrame(arguments int) []string {
	frame := request
	texts := make([]string, arguments)
	for i := range texts {
		end := 4 + binary.LittleEndian.Uint32(frame)
		texts[i] = string(frame[4:end])
		frame = frame[end:]
	}
	return texts
}

func address(bytes []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))) }

func outputTooLong() answer {
	return answer{kindOutput, fmt.Sprintf("the output is longer than %d bytes", maxOutputBytes)}
}
