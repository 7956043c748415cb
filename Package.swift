// swift-tools-version:6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let strictC: [CSetting] = [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)]

/// Static archives by exact name, so that the executable needs only libc on the machine it traces.
let libbpf: [LinkerSetting] = [
  .linkedLibrary(":libbpf.a"), .linkedLibrary(":libelf.a"), .linkedLibrary(":libz.a"),
  .linkedLibrary("stdc++"),  // C++ names; the Swift run-time library needs it too
]
let lua: [LinkerSetting] = [.linkedLibrary(":liblua5.4.a"), .linkedLibrary("m")]
/// What packages are made of: YAML, deflated objects, digests.
let packages: [LinkerSetting] = [.linkedLibrary(":libyaml.a"), .linkedLibrary(":libz.a"), .linkedLibrary(":libmd.a")]
/// libedit, and what it needs itself.
let lineEditor: [LinkerSetting] = [
  .linkedLibrary(":libedit.a"), .linkedLibrary(":libtinfo.a"), .linkedLibrary(":libbsd.a"), .linkedLibrary(":libmd.a"),
]

func room(
  _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, link: [LinkerSetting] = []
) -> Target {
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict, linkerSettings: link)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "moontrace",
  products: [
    .library(name: "Moontrace", targets: ["Tracing"]),
    .executable(name: "moontrace", targets: ["moontrace"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
  ],
  targets: [
    // The rooms, lowest first; docs/architecture.md says what each is for.
    .systemLibrary(name: "CLibbpf"),
    .systemLibrary(name: "CLua"),
    .systemLibrary(name: "CLineEditor"),
    .systemLibrary(name: "CYAML"),
    .systemLibrary(name: "CZlib"),
    .systemLibrary(name: "CDigest"),
    .target(name: "CEventCore", cSettings: strictC),
    .target(name: "CLuaBridge", dependencies: ["CLua", "CEventCore"], cSettings: strictC, linkerSettings: lua),
    .target(name: "CLuaLibrary", cSettings: strictC + [.disableWarning("c23-extensions")]),  // #embed
    room("Support", []),
    room("Pictures", []),
    room("BTF", ["Support"]),
    room("Recipes", ["BTF", "Support"]),
    room("Packages", ["CYAML", "CZlib", "CDigest", "BTF", "Support"], link: packages),
    room("Registry", ["Packages", "Support"]),
    room("BPFAssembly", ["Support"]),
    room("LuaBytecode", ["Support"]),
    room("ProbeCompiler", ["LuaBytecode", "BPFAssembly", "BTF", "Support"]),
    room("KernelLoader", ["CLibbpf", "BPFAssembly", "BTF", "Support"], link: libbpf),
    room("EventStream", ["CEventCore", "BTF", "Support"]),
    room("LuaRuntime", ["CLuaBridge", "CLua", "Support"]),
    room(
      "Tracing",
      [
        "ProbeCompiler", "LuaBytecode", "BPFAssembly", "LuaRuntime", "EventStream", "KernelLoader", "Recipes",
        "Packages", "Pictures",
        "BTF", "Support", "CLuaLibrary", "CLuaBridge", "CEventCore",
      ]),
    room("REPL", ["Tracing", "CLineEditor", "Support"], link: lineEditor),
    .executableTarget(
      name: "moontrace",
      dependencies: [
        // Named first it is linked last, and libz, which comes with it once, must stand behind libbpf.
        "Registry", "REPL", "Tracing", "KernelLoader", "Recipes", "Support",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict,
      linkerSettings: [
        // Symbols stay out of the release.
        .unsafeFlags(["-Xclang-linker", "-static-libgcc", "-Xlinker", "-s"], .when(configuration: .release))
      ]),

    .executableTarget(name: "workload", path: "Tests/Workload", cSettings: strictC),
    .executableTarget(
      name: "RingBenchmark",
      dependencies: [
        "FileTestSupport", "LuaRuntime", "EventStream", "KernelLoader", "CLibbpf", "CEventCore", "Support",
      ],
      path: "Tests/RingBenchmark", swiftSettings: strict),
    room("HTTPTestSupport", ["Support"], path: "Tests/HTTPTestSupport"),
    room("FileTestSupport", ["Support"], path: "Tests/FileTestSupport"),
    room("RandomTestSupport", [], path: "Tests/RandomTestSupport"),
    room("KernelTestSupport", ["KernelLoader", "Support"], path: "Tests/KernelTestSupport"),
    .target(
      name: "EventStreamTestSupport", dependencies: ["CEventCore"], path: "Tests/EventStreamTestSupport",
      cSettings: strictC),
    .target(
      name: "LuaRuntimeTestSupport", dependencies: ["CLuaBridge", "CEventCore"], path: "Tests/LuaRuntimeTestSupport",
      cSettings: strictC),
    tests("SupportTests", ["FileTestSupport", "Support"]),
    tests("PicturesTests", ["Pictures"]),
    tests("BTFTests", ["FileTestSupport", "KernelTestSupport", "RandomTestSupport", "BTF", "Support"]),
    .testTarget(
      name: "ProbeCompilerTests",
      dependencies: [
        "KernelTestSupport", "RandomTestSupport", "ProbeCompiler", "LuaBytecode", "BPFAssembly", "BTF", "CLibbpf",
        "CLua", "KernelLoader",
        "Support",
      ], swiftSettings: strict, linkerSettings: lua),
    tests("RecipesTests", ["Recipes", "Support"]),
    tests("PackagesTests", ["RandomTestSupport", "Packages", "BTF", "Support"]),
    tests("RegistryTests", ["Registry", "Packages", "Support"]),
    tests("BPFAssemblyTests", ["FileTestSupport", "BPFAssembly", "Support"]),
    .testTarget(
      name: "LuaBytecodeTests", dependencies: ["RandomTestSupport", "LuaBytecode", "CLua", "Support"],
      swiftSettings: strict,
      linkerSettings: lua),
    tests(
      "KernelLoaderTests",
      ["FileTestSupport", "KernelTestSupport", "KernelLoader", "CLibbpf", "BPFAssembly", "BTF", "Support"]),
    tests(
      "EventStreamTests",
      [
        "KernelTestSupport", "RandomTestSupport", "EventStream", "EventStreamTestSupport", "CEventCore", "BTF",
        "Support",
      ]),
    tests(
      "LuaRuntimeTests",
      ["FileTestSupport", "LuaRuntime", "LuaRuntimeTestSupport", "CLuaBridge", "CEventCore", "Support"]),
    tests(
      "TracingTests",
      [
        "FileTestSupport", "KernelTestSupport", "RandomTestSupport", "Tracing", "Packages", "ProbeCompiler",
        "LuaBytecode", "LuaRuntime",
        "EventStream", "KernelLoader",
        "CLibbpf", "CLuaBridge", "CEventCore", "BPFAssembly", "BTF", "Support",
      ]),
    tests("REPLTests", ["FileTestSupport", "KernelTestSupport", "REPL", "Tracing", "Support"]),
    tests(
      "CommandLineTests",
      [
        "FileTestSupport", "HTTPTestSupport", "KernelTestSupport", "KernelLoader", "CLibbpf", "Packages", "Support",
        "moontrace", "workload",
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)
