// The smallest BPF maps and programs that send records, made with bpf(2) directly. All are gone when their
// descriptors are closed.
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "EventStreamTestSupport.h"

static int bpf(enum bpf_cmd command, union bpf_attr *attributes) {
  long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
  return result < 0 ? -errno : (int)result;
}

int mts_ringbuf_map(uint32_t size) {
  union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = size};
  return bpf(BPF_MAP_CREATE, &attributes);
}

int mts_perf_map(void) {
  union bpf_attr attributes = {
      .map_type = BPF_MAP_TYPE_PERF_EVENT_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1024};
  return bpf(BPF_MAP_CREATE, &attributes);
}

int mts_map_set(int map, uint32_t key, uint32_t value) {
  union bpf_attr attributes = {
      .map_fd = (uint32_t)map, .key = (uint64_t)(uintptr_t)&key, .value = (uint64_t)(uintptr_t)&value};
  return bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

static int load(const struct bpf_insn *instructions, uint32_t count) {
  union bpf_attr attributes = {
      .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
      .insn_cnt = count,
      .insns = (uint64_t)(uintptr_t)instructions,
      .license = (uint64_t)(uintptr_t) "GPL",
  };
  return bpf(BPF_PROG_LOAD, &attributes);
}

#define INSTRUCTION(opcode, dst, src, offset, immediate) \
  {.code = (opcode), .dst_reg = (dst), .src_reg = (src), .off = (offset), .imm = (immediate)}
#define LOAD(dst, src, offset) INSTRUCTION(BPF_LDX | BPF_MEM | BPF_DW, dst, src, offset, 0)
#define STORE(dst, src, offset) INSTRUCTION(BPF_STX | BPF_MEM | BPF_DW, dst, src, offset, 0)
#define MOVE(dst, src) INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOVE_CONSTANT(dst, value) INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define MOVE_CONSTANT_32(dst, value) INSTRUCTION(BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, value)
#define ADD_CONSTANT(dst, value) INSTRUCTION(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define LOAD_MAP(dst, fd) \
  INSTRUCTION(BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, fd), INSTRUCTION(0, 0, 0, 0, 0)
#define CALL(function) INSTRUCTION(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define EXIT INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
// The two arguments at r1 to the stack.
#define COPY_ARGUMENTS LOAD(2, 1, 0), STORE(10, 2, -16), LOAD(2, 1, 8), STORE(10, 2, -8)

int mts_ringbuf_program(int map) {
  const struct bpf_insn instructions[] = {
      COPY_ARGUMENTS, LOAD_MAP(1, map),     MOVE(2, 10),
      ADD_CONSTANT(2, -16), MOVE_CONSTANT(3, 16), MOVE_CONSTANT(4, 0),
      CALL(BPF_FUNC_ringbuf_output), EXIT,
  };
  return load(instructions, sizeof instructions / sizeof *instructions);
}

int mts_perf_program(int map) {
  const struct bpf_insn instructions[] = {
      COPY_ARGUMENTS, LOAD_MAP(2, map),      MOVE_CONSTANT_32(3, -1),  // BPF_F_CURRENT_CPU
      MOVE(4, 10),    ADD_CONSTANT(4, -16), MOVE_CONSTANT(5, 16),
      CALL(BPF_FUNC_perf_event_output), EXIT,
  };
  return load(instructions, sizeof instructions / sizeof *instructions);
}

int mts_run(int program, int cpu, uint64_t first, uint64_t second) {
  uint64_t arguments[] = {first, second};
  union bpf_attr attributes = {
      .test = {
          .prog_fd = (uint32_t)program,
          .ctx_in = (uint64_t)(uintptr_t)arguments,
          .ctx_size_in = sizeof arguments,
          .flags = BPF_F_TEST_RUN_ON_CPU,
          .cpu = (uint32_t)cpu,
      }};
  int status = bpf(BPF_PROG_TEST_RUN, &attributes);
  return status < 0 ? status : (int)attributes.test.retval;
}
