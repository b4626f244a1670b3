package arch

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"gomapi/internal/wire"
)

// protoAPI describes the messages of internal/wire/mapi.proto.
func protoAPI() (lines []string) {
	file := wire.File_internal_wire_mapi_proto
	for i := range file.Enums().Len() {
		lines = append(lines, enumAPI(file.Enums().Get(i))...)
	}
	for i := range file.Messages().Len() {
		lines = append(lines, messageAPI(file.Messages().Get(i))...)
	}
	slices.Sort(lines)
	return lines
}

func enumAPI(e protoreflect.EnumDescriptor) (lines []string) {
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		lines = append(lines, fmt.Sprintf("enum %s: %s = %d", e.FullName(), v.Name(), v.Number()))
	}
	return lines
}

func messageAPI(m protoreflect.MessageDescriptor) (lines []string) {
	lines = append(lines, fmt.Sprintf("message %s", m.FullName()))
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		lines = append(lines, fmt.Sprintf("message %s: %s = %d %s", m.FullName(), f.Name(), f.Number(), fieldType(f)))
	}
	for i := range m.ReservedRanges().Len() {
		r := m.ReservedRanges().Get(i)
		lines = append(lines, fmt.Sprintf("message %s: reserved %d to %d", m.FullName(), r[0], r[1]-1))
	}
	for i := range m.Enums().Len() {
		lines = append(lines, enumAPI(m.Enums().Get(i))...)
	}
	for i := range m.Messages().Len() {
		lines = append(lines, messageAPI(m.Messages().Get(i))...)
	}
	return lines
}

func fieldType(f protoreflect.FieldDescriptor) string {
	text := f.Kind().String()
	switch {
	case f.Message() != nil:
		text = string(f.Message().FullName())
	case f.Enum() != nil:
		text = string(f.Enum().FullName())
	}
	switch {
	case f.IsList():
		text = "repeated " + text
	case f.HasOptionalKeyword():
		text = "optional " + text
	case f.ContainingOneof() != nil:
		text += ", one of " + string(f.ContainingOneof().Name())
	}
	return text
}
