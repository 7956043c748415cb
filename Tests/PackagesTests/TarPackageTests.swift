import Packages
import Testing

struct TarPackageTests {
  private let ubuntu = SystemIdentity(
    osRelease: "NAME=\"Ubuntu\"\nID=ubuntu\n# x\nVERSION_ID=\"20.04\"\n", architecture: "x86_64",
    release: "5.4.0-42-generic")
  private let rolling = SystemIdentity(osRelease: "ID='arch'\nBROKEN", architecture: "x86_64", release: "6.1")

  private var package: TarPackage {
    let meta = PackageMeta(skeleton: Skeleton(objectName: "small_bpf"))
    return TarPackage(
      package: Package(object: [1, 2, 3], meta: meta),
      kernels: [ArchivedTypes(system: ubuntu, btf: [4, 5]), ArchivedTypes(system: rolling, btf: [6])])
  }

  @Test func systemsAreReadFromOSRelease() {
    #expect(ubuntu.distribution == "ubuntu")
    #expect(ubuntu.version == "20.04")
    #expect(rolling.distribution == "arch")
    #expect(rolling.version == "")
    #expect(SystemIdentity(osRelease: "", architecture: "a", release: "r").distribution == "linux")
  }

  @Test func theArchiveHoldsWhatOtherToolsLookFor() throws {
    let entries = try [TarEntry](tar: package.bytes(), name: "x.tar")
    #expect(
      entries.map(\.path) == [
        "package.json", "small_bpf.bpf.o", "btfhub-archive/ubuntu/20.04/x86_64/5.4.0-42-generic.btf",
        "btfhub-archive/arch/x86_64/6.1.btf",
      ])
    #expect(entries[1].bytes == [1, 2, 3])
  }

  @Test func typesAreFoundForTheirSystemOnly() throws {
    let read = try TarPackage(package.bytes(), name: "x.tar")
    #expect(read == package)
    #expect(read.types(for: ubuntu) == [4, 5])
    #expect(read.types(for: rolling) == [6])
    var other = ubuntu
    other.release = "5.4.0-43-generic"
    #expect(read.types(for: other) == nil)
  }

  @Test func aPackageInYAMLIsRead() throws {
    let files = [TarEntry(path: "./package.yaml", bytes: package.package.bytes(.yaml))]
    #expect(try TarPackage(files.tar(), name: "x.tar") == TarPackage(package: package.package))
  }

  @Test func errorsNameTheFileInTheArchive() throws {
    let broken = [TarEntry(path: "package.json", bytes: Array("{".utf8))]
    #expect(refusal { _ = try TarPackage(broken.tar(), name: "x.tar") }?.hasPrefix("x.tar(package.json):1:2: ") == true)
    let strange = (1...7).map { TarEntry(path: "f\($0)", bytes: []) }
    #expect(
      refusal { _ = try TarPackage(strange.tar(), name: "x.tar") }
        == "x.tar: no package.json in the archive (it holds f1, f2, f3, f4, f5 and 2 more)")
  }

  @Test func namesThatLeadOutOfTheArchiveAreRefused() {
    var strange = package
    strange.package.meta.skeleton.objectName = "../../x"
    #expect(refusal { _ = try strange.bytes() }?.contains("leads out of the archive") == true)
  }
}
