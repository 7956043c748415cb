import KernelTestSupport
import Testing

/// The modules that scripts `require`, by assertions in Lua that run in the sandbox.
@Suite(.requires(.root))
struct LuaLibraryTests {
  private static let directory =
    #filePath.dropLast("CommandLineTests/LuaLibraryTests.swift".count) + "lua"

  @Test(arguments: ["hist", "names", "plot", "units"]) func modulesKeepWhatTheyPromise(_ module: String) throws {
    let run = try moontrace("run", "\(Self.directory)/\(module)_test.lua")
    #expect(run.status == 0 && run.output == "ok\n", "\(run.errors)")
  }

  /// In plain ASCII unless the locale is UTF-8.
  @Test(arguments: [("LC_ALL=C.UTF-8", "▁█"), ("LC_ALL=C", "_@"), ("LC_ALL=en_US.utf8", "▁█")])
  func plotsFollowTheLocale(_ locale: String, _ bars: String) throws {
    let run = try moontrace(
      "-e", "print(require 'moontrace.plot'.spark { 1, 2 })", environment: ["LC_CTYPE=", "LANG=", locale])
    #expect(run.output == bars + "\n", "\(run.errors)")
  }
}
