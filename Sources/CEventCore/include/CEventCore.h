// The hot path from a kernel buffer to its consumer: rings, decode plans, output text. No malloc after start
// but for output growth; no Lua, no Swift, no libbpf.
#pragma once
#include "mt_output.h"
#include "mt_plan.h"
#include "mt_poll.h"
#include "mt_source.h"
#include "mt_tap.h"
#include "mt_terminal.h"
