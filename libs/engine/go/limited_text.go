package main

import (
	"errors"
	"strings"
)

var errTooLong = errors.New("the output is too long")

// limitedText collects what is written and refuses what goes past its limit, so that a loop without end stops early.
type limitedText struct {
	text strings.Builder
	left int
}

func (limited *limitedText) Write(bytes []byte) (int, error) {
	if len(bytes) > limited.left {
		return 0, errTooLong
	}
	limited.left -= len(bytes)
	return limited.text.Write(bytes)
}
