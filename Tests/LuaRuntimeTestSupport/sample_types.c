#include <string.h>

#include "LuaRuntimeTestSupport.h"

#define NAMED(text) .name = text, .name_length = sizeof(text) - 1
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const mt_enum_name kinds[] = {{0, "OPEN"}, {1, "CLOSE"}, {7, "RENAME"}};

static const mt_field event_fields[] = {
    {NAMED("pid"), .kind = MT_UNSIGNED, .offset = offsetof(mt_test_event, pid), .size = 4},
    {NAMED("ret"), .kind = MT_SIGNED, .offset = offsetof(mt_test_event, ret), .size = 4},
    {NAMED("at"), .kind = MT_UNSIGNED, .offset = offsetof(mt_test_event, at), .size = 8},
    {NAMED("comm"), .kind = MT_TEXT, .offset = offsetof(mt_test_event, comm), .size = 16},
    {NAMED("address"), .kind = MT_POINTER, .offset = offsetof(mt_test_event, address), .size = 8},
    {NAMED("kind"), .kind = MT_ENUM, .offset = offsetof(mt_test_event, kind), .size = 4, .names = kinds,
     .name_count = COUNT(kinds)},
    {NAMED("ratio"), .kind = MT_FLOAT, .offset = offsetof(mt_test_event, ratio), .size = 8},
};
static const mt_plan event_plan = {"sample", sizeof(mt_test_event), COUNT(event_fields), event_fields};

const mt_plan *mt_test_event_plan(void) { return &event_plan; }

static const mt_field endpoint_fields[] = {
    {NAMED("address"), .kind = MT_UNSIGNED, .offset = 0, .size = 4},
    {NAMED("port"), .kind = MT_UNSIGNED, .offset = 4, .size = 2},
    {NAMED("host"), .kind = MT_TEXT, .offset = 6, .size = 8},
};
static const mt_plan endpoint_plan = {"endpoint", 16, COUNT(endpoint_fields), endpoint_fields};
static const mt_field endpoint = {.name = "", .kind = MT_RECORD, .size = 16, .record = &endpoint_plan};
static const mt_field u16 = {.name = "", .kind = MT_UNSIGNED, .size = 2};

static const mt_field packet_fields[] = {
    {NAMED("version"), .kind = MT_UNSIGNED, .offset = 0, .size = 1, .bit_size = 4, .bit_offset = 0},
    {NAMED("flags"), .kind = MT_SIGNED, .offset = 0, .size = 1, .bit_size = 3, .bit_offset = 4},
    {NAMED("endpoints"), .kind = MT_ARRAY, .offset = 4, .size = 32, .count = 2, .element = &endpoint},
    {NAMED("tail"), .kind = MT_ARRAY, .offset = 36, .size = 0, .count = 0, .element = &u16},
};
static const mt_plan packet_plan = {"packet", 36, COUNT(packet_fields), packet_fields};

static const mt_field types[] = {
    {NAMED("u8"), .kind = MT_UNSIGNED, .size = 1},
    {NAMED("u16"), .kind = MT_UNSIGNED, .size = 2},
    {NAMED("u32"), .kind = MT_UNSIGNED, .size = 4},
    {NAMED("u64"), .kind = MT_UNSIGNED, .size = 8},
    {NAMED("s8"), .kind = MT_SIGNED, .size = 1},
    {NAMED("s16"), .kind = MT_SIGNED, .size = 2},
    {NAMED("s32"), .kind = MT_SIGNED, .size = 4},
    {NAMED("s64"), .kind = MT_SIGNED, .size = 8},
    {NAMED("bool"), .kind = MT_BOOL, .size = 1},
    {NAMED("float"), .kind = MT_FLOAT, .size = 4},
    {NAMED("double"), .kind = MT_FLOAT, .size = 8},
    {NAMED("enum"), .kind = MT_ENUM, .size = 4, .names = kinds, .name_count = COUNT(kinds)},
    {NAMED("pointer"), .kind = MT_POINTER, .size = 8},
    {NAMED("text8"), .kind = MT_TEXT, .size = 8},
    {NAMED("bytes4"), .kind = MT_BYTES, .size = 4},
    {NAMED("list"), .kind = MT_ARRAY, .size = 6, .count = 3, .element = &u16},
    {NAMED("endpoint"), .kind = MT_RECORD, .size = 16, .record = &endpoint_plan},
    {NAMED("packet"), .kind = MT_RECORD, .size = 36, .record = &packet_plan},
};

const mt_field *mt_test_type(const char *name) {
  for (size_t i = 0; i < COUNT(types); i++)
    if (strcmp(types[i].name, name) == 0) return &types[i];
  return NULL;
}
