// Package lines has what the Go test programs share: the lines they print and the content of their records.
// Commands and lines are those of the Java programs beside it.
package lines

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
)

var (
	mutex sync.Mutex
	out   = bufio.NewWriter(os.Stdout)
)

// Print writes one line, a word and its fields, separated by tabs.
func Print(fields ...any) {
	mutex.Lock()
	defer mutex.Unlock()
	for i, field := range fields {
		if i > 0 {
			out.WriteByte('\t')
		}
		fmt.Fprint(out, field)
	}
	out.WriteByte('\n')
	out.Flush()
}

// Assigned says which partitions a member of a group owns now.
func Assigned(partitions []int32) {
	sort.Slice(partitions, func(i, j int) bool { return partitions[i] < partitions[j] })
	texts := make([]string, 0, len(partitions))
	for _, partition := range partitions {
		texts = append(texts, strconv.Itoa(int(partition)))
	}
	if len(texts) == 0 {
		texts = []string{"-"}
	}
	Print("assigned", strings.Join(texts, ","))
}

// Key of the n-th record of a tag and a codec.
func Key(tag, codec string, n int) string { return fmt.Sprintf("%s.%s.%d", tag, codec, n) }

// Value of the n-th record: compressible text, in more than ASCII.
func Value(key string, n int) string { return key + " Řeka 明天" + strings.Repeat(" teče dál", n%40) }

// Must ends the program with the library's words.
func Must(err error) {
	if err != nil {
		Print("error", strings.NewReplacer("\n", " ", "\t", " ").Replace(err.Error()))
		os.Exit(1)
	}
}

// Number reads a decimal argument.
func Number(text string) int64 {
	number, err := strconv.ParseInt(text, 10, 64)
	Must(err)
	return number
}
