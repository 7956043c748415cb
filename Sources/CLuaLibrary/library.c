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
static const unsigned char aggregate_values[] = {
#embed "../../lua-lib/api/aggregate_values.lua"
};
static const unsigned char pictures[] = {
#embed "../../lua-lib/api/pictures.lua"
};
static const unsigned char bpf[] = {
#embed "../../lua-lib/api/bpf.lua"
};
static const unsigned char repl[] = {
#embed "../../lua-lib/api/repl.lua"
};
static const unsigned char hist[] = {
#embed "../../lua-lib/moontrace/hist.lua"
};
static const unsigned char maps[] = {
#embed "../../lua-lib/moontrace/maps.lua"
};
static const unsigned char meta[] = {
#embed "../../lua-lib/moontrace/meta.lua"
};
static const unsigned char plot[] = {
#embed "../../lua-lib/moontrace/plot.lua"
};
static const unsigned char units[] = {
#embed "../../lua-lib/moontrace/units.lua"
};
static const unsigned char names[] = {
#embed "../../lua-lib/moontrace/names.lua"
};
static const unsigned char top[] = {
#embed "../../lua-lib/api/top.lua"
};
static const unsigned char samples[] = {
#embed "../../lua-lib/api/samples.lua"
};
static const unsigned char program[] = {
#embed "../../lua-lib/api/program.lua"
};

static const unsigned char argdist[] = {
#embed "../../lua-lib/recipes/argdist.lua"
};
static const unsigned char bashreadline[] = {
#embed "../../lua-lib/recipes/bashreadline.lua"
};
static const unsigned char bindsnoop[] = {
#embed "../../lua-lib/recipes/bindsnoop.lua"
};
static const unsigned char biolatency[] = {
#embed "../../lua-lib/recipes/biolatency.lua"
};
static const unsigned char biosnoop[] = {
#embed "../../lua-lib/recipes/biosnoop.lua"
};
static const unsigned char biotop[] = {
#embed "../../lua-lib/recipes/biotop.lua"
};
static const unsigned char bitesize[] = {
#embed "../../lua-lib/recipes/bitesize.lua"
};
static const unsigned char cachestat[] = {
#embed "../../lua-lib/recipes/cachestat.lua"
};
static const unsigned char capable[] = {
#embed "../../lua-lib/recipes/capable.lua"
};
static const unsigned char cpudist[] = {
#embed "../../lua-lib/recipes/cpudist.lua"
};
static const unsigned char cpuwalk[] = {
#embed "../../lua-lib/recipes/cpuwalk.lua"
};
static const unsigned char drsnoop[] = {
#embed "../../lua-lib/recipes/drsnoop.lua"
};
static const unsigned char execsnoop[] = {
#embed "../../lua-lib/recipes/execsnoop.lua"
};
static const unsigned char exitsnoop[] = {
#embed "../../lua-lib/recipes/exitsnoop.lua"
};
static const unsigned char ext4slower[] = {
#embed "../../lua-lib/recipes/ext4slower.lua"
};
static const unsigned char fileslower[] = {
#embed "../../lua-lib/recipes/fileslower.lua"
};
static const unsigned char filetop[] = {
#embed "../../lua-lib/recipes/filetop.lua"
};
static const unsigned char funccount[] = {
#embed "../../lua-lib/recipes/funccount.lua"
};
static const unsigned char funclatency[] = {
#embed "../../lua-lib/recipes/funclatency.lua"
};
static const unsigned char gethostlatency[] = {
#embed "../../lua-lib/recipes/gethostlatency.lua"
};
static const unsigned char hardirqs[] = {
#embed "../../lua-lib/recipes/hardirqs.lua"
};
static const unsigned char killsnoop[] = {
#embed "../../lua-lib/recipes/killsnoop.lua"
};
static const unsigned char lsof[] = {
#embed "../../lua-lib/recipes/lsof.lua"
};
static const unsigned char malloc_top[] = {
#embed "../../lua-lib/recipes/malloc-top.lua"
};
static const unsigned char mountsnoop[] = {
#embed "../../lua-lib/recipes/mountsnoop.lua"
};
static const unsigned char naptime[] = {
#embed "../../lua-lib/recipes/naptime.lua"
};
static const unsigned char numamove[] = {
#embed "../../lua-lib/recipes/numamove.lua"
};
static const unsigned char offcputime[] = {
#embed "../../lua-lib/recipes/offcputime.lua"
};
static const unsigned char oomkill[] = {
#embed "../../lua-lib/recipes/oomkill.lua"
};
static const unsigned char opensnoop[] = {
#embed "../../lua-lib/recipes/opensnoop.lua"
};
static const unsigned char pidpersec[] = {
#embed "../../lua-lib/recipes/pidpersec.lua"
};
static const unsigned char profile[] = {
#embed "../../lua-lib/recipes/profile.lua"
};
static const unsigned char ps[] = {
#embed "../../lua-lib/recipes/ps.lua"
};
static const unsigned char readahead[] = {
#embed "../../lua-lib/recipes/readahead.lua"
};
static const unsigned char runqlat[] = {
#embed "../../lua-lib/recipes/runqlat.lua"
};
static const unsigned char runqlen[] = {
#embed "../../lua-lib/recipes/runqlen.lua"
};
static const unsigned char setuids[] = {
#embed "../../lua-lib/recipes/setuids.lua"
};
static const unsigned char sigsnoop[] = {
#embed "../../lua-lib/recipes/sigsnoop.lua"
};
static const unsigned char softirqs[] = {
#embed "../../lua-lib/recipes/softirqs.lua"
};
static const unsigned char sslsniff[] = {
#embed "../../lua-lib/recipes/sslsniff.lua"
};
static const unsigned char stackcount[] = {
#embed "../../lua-lib/recipes/stackcount.lua"
};
static const unsigned char statsnoop[] = {
#embed "../../lua-lib/recipes/statsnoop.lua"
};
static const unsigned char syncsnoop[] = {
#embed "../../lua-lib/recipes/syncsnoop.lua"
};
static const unsigned char syscount[] = {
#embed "../../lua-lib/recipes/syscount.lua"
};
static const unsigned char tcpaccept[] = {
#embed "../../lua-lib/recipes/tcpaccept.lua"
};
static const unsigned char tcpconnect[] = {
#embed "../../lua-lib/recipes/tcpconnect.lua"
};
static const unsigned char tcpconnlat[] = {
#embed "../../lua-lib/recipes/tcpconnlat.lua"
};
static const unsigned char tcpdrop[] = {
#embed "../../lua-lib/recipes/tcpdrop.lua"
};
static const unsigned char tcplife[] = {
#embed "../../lua-lib/recipes/tcplife.lua"
};
static const unsigned char tcpretrans[] = {
#embed "../../lua-lib/recipes/tcpretrans.lua"
};
static const unsigned char tcpstates[] = {
#embed "../../lua-lib/recipes/tcpstates.lua"
};
static const unsigned char trace_func[] = {
#embed "../../lua-lib/recipes/trace-func.lua"
};
static const unsigned char vfsstat[] = {
#embed "../../lua-lib/recipes/vfsstat.lua"
};
static const unsigned char wakeuptime[] = {
#embed "../../lua-lib/recipes/wakeuptime.lua"
};
static const unsigned char writeback[] = {
#embed "../../lua-lib/recipes/writeback.lua"
};

static const unsigned char completions_bash[] = {
#embed "../../lua-lib/completions/moontrace.bash"
};
static const unsigned char completions_fish[] = {
#embed "../../lua-lib/completions/moontrace.fish"
};
static const unsigned char completions_zsh[] = {
#embed "../../lua-lib/completions/moontrace.zsh"
};
static const unsigned char template_c_program[] = {
#embed "../../lua-lib/templates/c/mytool.bpf.c"
};
static const unsigned char template_c_script[] = {
#embed "../../lua-lib/templates/c/mytool.lua"
};
static const unsigned char template_c_readme[] = {
#embed "../../lua-lib/templates/c/README.md"
};
static const unsigned char template_luarc[] = {
#embed "../../lua-lib/templates/common/dot.luarc.json"
};
static const unsigned char template_test[] = {
#embed "../../lua-lib/templates/common/test.sh"
};
static const unsigned char template_lua_script[] = {
#embed "../../lua-lib/templates/lua/mytool.lua"
};
static const unsigned char template_lua_readme[] = {
#embed "../../lua-lib/templates/lua/README.md"
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
    FILE_AT("api/aggregate_values.lua", aggregate_values),
    FILE_AT("api/pictures.lua", pictures),
    FILE_AT("moontrace/hist.lua", hist),
    FILE_AT("moontrace/maps.lua", maps),
    FILE_AT("moontrace/meta.lua", meta),
    FILE_AT("moontrace/plot.lua", plot),
    FILE_AT("moontrace/units.lua", units),
    FILE_AT("moontrace/names.lua", names),
    FILE_AT("api/program.lua", program),
    FILE_AT("api/samples.lua", samples),
    FILE_AT("api/repl.lua", repl),
    FILE_AT("api/top.lua", top),
    FILE_AT("recipes/argdist.lua", argdist),
    FILE_AT("recipes/bashreadline.lua", bashreadline),
    FILE_AT("recipes/bindsnoop.lua", bindsnoop),
    FILE_AT("recipes/biolatency.lua", biolatency),
    FILE_AT("recipes/biosnoop.lua", biosnoop),
    FILE_AT("recipes/biotop.lua", biotop),
    FILE_AT("recipes/bitesize.lua", bitesize),
    FILE_AT("recipes/cachestat.lua", cachestat),
    FILE_AT("recipes/capable.lua", capable),
    FILE_AT("recipes/cpudist.lua", cpudist),
    FILE_AT("recipes/cpuwalk.lua", cpuwalk),
    FILE_AT("recipes/drsnoop.lua", drsnoop),
    FILE_AT("recipes/execsnoop.lua", execsnoop),
    FILE_AT("recipes/exitsnoop.lua", exitsnoop),
    FILE_AT("recipes/ext4slower.lua", ext4slower),
    FILE_AT("recipes/fileslower.lua", fileslower),
    FILE_AT("recipes/filetop.lua", filetop),
    FILE_AT("recipes/funccount.lua", funccount),
    FILE_AT("recipes/funclatency.lua", funclatency),
    FILE_AT("recipes/gethostlatency.lua", gethostlatency),
    FILE_AT("recipes/hardirqs.lua", hardirqs),
    FILE_AT("recipes/killsnoop.lua", killsnoop),
    FILE_AT("recipes/lsof.lua", lsof),
    FILE_AT("recipes/malloc-top.lua", malloc_top),
    FILE_AT("recipes/mountsnoop.lua", mountsnoop),
    FILE_AT("recipes/naptime.lua", naptime),
    FILE_AT("recipes/numamove.lua", numamove),
    FILE_AT("recipes/offcputime.lua", offcputime),
    FILE_AT("recipes/oomkill.lua", oomkill),
    FILE_AT("recipes/opensnoop.lua", opensnoop),
    FILE_AT("recipes/pidpersec.lua", pidpersec),
    FILE_AT("recipes/profile.lua", profile),
    FILE_AT("recipes/ps.lua", ps),
    FILE_AT("recipes/readahead.lua", readahead),
    FILE_AT("recipes/runqlat.lua", runqlat),
    FILE_AT("recipes/runqlen.lua", runqlen),
    FILE_AT("recipes/setuids.lua", setuids),
    FILE_AT("recipes/sigsnoop.lua", sigsnoop),
    FILE_AT("recipes/softirqs.lua", softirqs),
    FILE_AT("recipes/sslsniff.lua", sslsniff),
    FILE_AT("recipes/stackcount.lua", stackcount),
    FILE_AT("recipes/statsnoop.lua", statsnoop),
    FILE_AT("recipes/syncsnoop.lua", syncsnoop),
    FILE_AT("recipes/syscount.lua", syscount),
    FILE_AT("recipes/tcpaccept.lua", tcpaccept),
    FILE_AT("recipes/tcpconnect.lua", tcpconnect),
    FILE_AT("recipes/tcpconnlat.lua", tcpconnlat),
    FILE_AT("recipes/tcpdrop.lua", tcpdrop),
    FILE_AT("recipes/tcplife.lua", tcplife),
    FILE_AT("recipes/tcpretrans.lua", tcpretrans),
    FILE_AT("recipes/tcpstates.lua", tcpstates),
    FILE_AT("recipes/trace-func.lua", trace_func),
    FILE_AT("recipes/vfsstat.lua", vfsstat),
    FILE_AT("recipes/wakeuptime.lua", wakeuptime),
    FILE_AT("recipes/writeback.lua", writeback),
    FILE_AT("completions/moontrace.bash", completions_bash),
    FILE_AT("completions/moontrace.fish", completions_fish),
    FILE_AT("completions/moontrace.zsh", completions_zsh),
    FILE_AT("templates/c/mytool.bpf.c", template_c_program),
    FILE_AT("templates/c/mytool.lua", template_c_script),
    FILE_AT("templates/c/README.md", template_c_readme),
    FILE_AT("templates/common/dot.luarc.json", template_luarc),
    FILE_AT("templates/common/test.sh", template_test),
    FILE_AT("templates/lua/mytool.lua", template_lua_script),
    FILE_AT("templates/lua/README.md", template_lua_readme),
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
