// Everything that may raise a Lua error lives in this target: lua_error leaves by longjmp, which must never cross a
// Swift frame. Swift calls in through functions that report failure as a status; Lua calls Swift through one
// trampoline that raises after Swift has returned.
#pragma once
#include "mt_lua.h"
#include "mt_lua_events.h"
#include "mt_lua_inspect.h"
#include "mt_lua_map.h"
#include "mt_lua_rows.h"
#include "mt_lua_stream.h"
#include "mt_lua_value.h"
