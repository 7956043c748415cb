// The terminal while a live view has it: the alternate screen, keys as they are typed, and the way back.
#pragma once
#include <stdbool.h>

// Takes the terminal behind `fd`: shows the alternate screen without a cursor, and has keys come at once and unseen,
// where Ctrl-C and Ctrl-Z still raise their signals. Until it is left, signals that mean a crash leave it first. False,
// with errno, when `fd` is no terminal.
bool mt_terminal_enter(int fd);
// Puts the terminal back as it was. Nothing when it is not taken. Safe in a signal handler.
void mt_terminal_leave(void);
