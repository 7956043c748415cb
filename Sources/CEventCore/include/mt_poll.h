// The kernel's interfaces for waiting that Swift's Glibc module leaves out.
#pragma once
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
