// One array a file, so that a debugger and the linker's map show what takes the space. scripts/check-library
// proves that every file of lua-lib/ is here.
#include "CLuaLibrary.h"

static const unsigned char prelude[] = {
#embed "../../lua-lib/api/prelude.lua"
};
static const unsigned char probes[] = {
#embed "../../lua-lib/api/probes.lua"
};
static const unsigned char aggregates[] = {
#embed "../../lua-lib/api/aggregates.lua"
};
static const unsigned char bpf[] = {
#embed "../../lua-lib/api/bpf.lua"
};
static const unsigned char hist[] = {
#embed "../../lua-lib/moontrace/hist.lua"
};
static const unsigned char names[] = {
#embed "../../lua-lib/moontrace/names.lua"
};
static const unsigned char object[] = {
#embed "../../lua-lib/api/object.lua"
};

static const unsigned char bashreadline[] = {
#embed "../../lua-lib/recipes/bashreadline.lua"
};
static const unsigned char execsnoop[] = {
#embed "../../lua-lib/recipes/execsnoop.lua"
};
static const unsigned char exitsnoop[] = {
#embed "../../lua-lib/recipes/exitsnoop.lua"
};
static const unsigned char opensnoop[] = {
#embed "../../lua-lib/recipes/opensnoop.lua"
};
static const unsigned char profile[] = {
#embed "../../lua-lib/recipes/profile.lua"
};
static const unsigned char runqlat[] = {
#embed "../../lua-lib/recipes/runqlat.lua"
};
static const unsigned char syscount[] = {
#embed "../../lua-lib/recipes/syscount.lua"
};

static const unsigned char bpf_core_read[] = {
#embed "/usr/include/bpf/bpf_core_read.h"
};
static const unsigned char bpf_endian[] = {
#embed "/usr/include/bpf/bpf_endian.h"
};
static const unsigned char bpf_helper_defs[] = {
#embed "/usr/include/bpf/bpf_helper_defs.h"
};
static const unsigned char bpf_helpers[] = {
#embed "/usr/include/bpf/bpf_helpers.h"
};
static const unsigned char bpf_tracing[] = {
#embed "/usr/include/bpf/bpf_tracing.h"
};
static const unsigned char usdt_bpf[] = {
#embed "/usr/include/bpf/usdt.bpf.h"
};
// usdt.bpf.h wants <linux/errno.h>; the base file has what it uses and includes no others.
static const unsigned char errno_base[] = {
#embed "/usr/include/asm-generic/errno-base.h"
};

#define FILE_AT(path, array) {path, array, sizeof(array)}
static const mt_library_file files[] = {
    FILE_AT("api/prelude.lua", prelude),
    FILE_AT("api/bpf.lua", bpf),
    FILE_AT("api/probes.lua", probes),
    FILE_AT("api/aggregates.lua", aggregates),
    FILE_AT("moontrace/hist.lua", hist),
    FILE_AT("moontrace/names.lua", names),
    FILE_AT("api/object.lua", object),
    FILE_AT("recipes/bashreadline.lua", bashreadline),
    FILE_AT("recipes/execsnoop.lua", execsnoop),
    FILE_AT("recipes/exitsnoop.lua", exitsnoop),
    FILE_AT("recipes/opensnoop.lua", opensnoop),
    FILE_AT("recipes/profile.lua", profile),
    FILE_AT("recipes/runqlat.lua", runqlat),
    FILE_AT("recipes/syscount.lua", syscount),
    FILE_AT("include/bpf/bpf_core_read.h", bpf_core_read),
    FILE_AT("include/bpf/bpf_endian.h", bpf_endian),
    FILE_AT("include/bpf/bpf_helper_defs.h", bpf_helper_defs),
    FILE_AT("include/bpf/bpf_helpers.h", bpf_helpers),
    FILE_AT("include/bpf/bpf_tracing.h", bpf_tracing),
    FILE_AT("include/bpf/usdt.bpf.h", usdt_bpf),
    FILE_AT("include/linux/errno.h", errno_base),
};
const mt_library_file *const mt_library_files = files;
const size_t mt_library_file_count = sizeof(files) / sizeof(files[0]);
