// libmd: message digests.
#pragma once
#include <sha2.h>
