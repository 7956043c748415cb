import Glibc

/// An environment variable that is set to something.
public func environment(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}

/// `$HOME`, or what the user database says; empty when neither knows.
public var homeDirectory: String {
  if let home = environment("HOME") { return home }
  return getpwuid(geteuid())?.pointee.pw_dir.map { String(cString: $0) } ?? ""
}

/// `$XDG_CONFIG_HOME/moontrace`, or `~/.config/moontrace`: what belongs to the user.
public var userConfiguration: String {
  "\(environment("XDG_CONFIG_HOME") ?? "\(homeDirectory)/.config")/moontrace"
}
