// Calls the functions of main.go: a request a line on standard input, an answer a line on standard output.
package main

import (
	"bufio"
	harnessJSON "encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
)

type harnessRequest struct {
	Id       int
	Function string
	Args     []harnessJSON.RawMessage
}

func harnessEncode(value reflect.Value, depth int) string {
	if depth > 64 {
		panic("the value is too deep")
	}
	if !value.IsValid() {
		return "null"
	}
	if value.CanInterface() {
		if text, ok := value.Interface().(fmt.Stringer); ok && value.Kind() == reflect.Ptr && !value.IsNil() {
			if number := text.String(); strings.Trim(number, "-0123456789") == "" && number != "" {
				return number // *big.Int
			}
		}
	}
	switch value.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(value.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(value.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(value.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		number := value.Float()
		if math.IsNaN(number) {
			return "NaN"
		}
		if math.IsInf(number, 0) {
			return map[bool]string{true: "Infinity", false: "-Infinity"}[number > 0]
		}
		return strconv.FormatFloat(number, 'g', -1, value.Type().Bits())
	case reflect.String:
		text, _ := harnessJSON.Marshal(value.String())
		return string(text)
	case reflect.Ptr, reflect.Interface:
		return harnessEncode(value.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		items := make([]string, value.Len())
		for i := range items {
			items[i] = harnessEncode(value.Index(i), depth+1)
		}
		return "[" + strings.Join(items, ",") + "]"
	case reflect.Map:
		items := []string{}
		for _, key := range value.MapKeys() {
			name, _ := harnessJSON.Marshal(fmt.Sprint(key.Interface()))
			items = append(items, string(name)+":"+harnessEncode(value.MapIndex(key), depth+1))
		}
		return "{" + strings.Join(items, ",") + "}"
	case reflect.Struct:
		items := []string{}
		for i := 0; i < value.NumField(); i++ {
			name, _ := harnessJSON.Marshal(value.Type().Field(i).Name)
			items = append(items, string(name)+":"+harnessEncode(value.Field(i), depth+1))
		}
		return "{" + strings.Join(items, ",") + "}"
	}
	panic("a " + value.Kind().String() + " is no plain value")
}

func harnessLeast(a int, b int) int {
	if a < b {
		return a
	}
	return b
}

func harnessRaised(kind string, message string) string {
	text, _ := harnessJSON.Marshal(message)
	return `{"raised":{"mro":["` + kind + `"],"message":` + string(text) + `}}`
}

func harnessReply(request harnessRequest) (said string) {
	defer func() {
		if problem := recover(); problem != nil {
			said = harnessRaised("panic", fmt.Sprint(problem))
		}
	}()
	function := harnessFunctions[request.Function]
	kind := function.Type()
	if kind.NumIn() != len(request.Args) && !kind.IsVariadic() {
		panic(fmt.Sprintf("it takes %d arguments, %d are given", kind.NumIn(), len(request.Args)))
	}
	arguments := []reflect.Value{}
	for i, raw := range request.Args {
		want := kind.In(harnessLeast(i, kind.NumIn()-1))
		if kind.IsVariadic() && i >= kind.NumIn()-1 {
			want = want.Elem()
		}
		argument := reflect.New(want)
		text := string(raw)
		if (want.Kind() == reflect.Int32 || want.Kind() == reflect.Uint8) && strings.HasPrefix(text, `"`) {
			var letter string // a rune or byte, given as text
			harnessJSON.Unmarshal(raw, &letter)
			text = strconv.Itoa(int([]rune(letter)[0]))
		}
		if err := harnessJSON.Unmarshal([]byte(text), argument.Interface()); err != nil {
			panic(err)
		}
		arguments = append(arguments, argument.Elem())
	}
	results := function.Call(arguments)
	if last := len(results) - 1; last >= 0 && results[last].Type().String() == "error" {
		if !results[last].IsNil() {
			return harnessRaised("error", results[last].Interface().(error).Error())
		}
		results = results[:last]
	}
	if len(results) == 0 {
		return `{"value":null}`
	}
	if len(results) == 1 {
		return `{"value":` + harnessEncode(results[0], 0) + "}"
	}
	items := make([]string, len(results))
	for i, result := range results {
		items[i] = harnessEncode(result, 1)
	}
	return `{"value":[` + strings.Join(items, ",") + "]}"
}

func main() {
	output := os.Stdout
	fmt.Fprint(output, "\n\x1e0 {\"value\":true}\n")
	input := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		line, err := input.ReadString('\n')
		if err != nil {
			return
		}
		var request harnessRequest
		if harnessJSON.Unmarshal([]byte(line), &request) != nil {
			os.Exit(1)
		}
		fmt.Fprintf(output, "\n\x1e%d %s\n", request.Id, harnessReply(request))
	}
}
