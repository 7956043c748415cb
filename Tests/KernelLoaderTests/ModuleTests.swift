import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Functions and types of a loaded module: of overlay, in which the tests' own files lie.
@Suite(.requires(.root, .clang, .moduleTypes, .fentry)) struct ModuleTests {
  private static let source = """
    struct ovl_fs { unsigned int numlayer; } __attribute__((preserve_access_index));
    const volatile __u32 thread;
    __u64 runs, layers, offsets;
    static __always_inline int seek(struct file *file, loff_t offset) {
      if ((__u32)bpf_get_current_pid_tgid() != thread) return 0;
      struct ovl_fs *fs = file->f_inode->i_sb->s_fs_info;
      runs++;
      layers = BPF_CORE_READ(fs, numlayer);
      offsets += offset;
      return 0;
    }
    SEC("fentry/ovl_llseek") int BPF_PROG(by_section, struct file *file, loff_t offset) { return seek(file, offset); }
    SEC("fexit") int BPF_PROG(at_run_time, struct file *file, loff_t offset, int whence, loff_t ret) {
      return seek(file, ret);
    }
    SEC("kprobe/ovl_llseek") int BPF_KPROBE(by_address, struct file *file, loff_t offset) {
      if ((__u32)bpf_get_current_pid_tgid() == thread) { runs++; offsets += offset; }
      return 0;
    }
    """

  @Test func functionsAndTypes() throws {
    let object = try Workshop.openWithKernelTypes("module", Self.source)
    try object.set("thread", to: thisThread())
    let late = try #require(object.program("at_run_time"))
    try late.prepare(for: AttachSpec("fexit:ovl_llseek"))
    let path = "\(Workshop.directory)/sought"
    try writeFile(path, [1])
    let file = OwnedDescriptor(try check("open") { Glibc.open(path, O_RDWR | O_CLOEXEC) })
    try object.whileLoaded {
      for (name, spec) in [("by_section", nil), ("at_run_time", "fexit:ovl_llseek"), ("by_address", nil)] {
        try object.set("runs", to: UInt64(0))
        try object.set("offsets", to: UInt64(0))
        let link = try #require(object.program(name)).attach(to: spec.map { try AttachSpec($0) })
        #expect(lseek(file.number, 41, SEEK_SET) == 41 && lseek(file.number, 1, SEEK_SET) == 1)
        link.detach()
        #expect(try object.value("runs", as: UInt64.self) == 2, "\(name)")
        #expect(try object.value("offsets", as: UInt64.self) == 42, "\(name)")
      }
      // What is written, and this machine's files below.
      #expect(try object.value("layers", as: UInt64.self) == 2)
    }
  }
}
