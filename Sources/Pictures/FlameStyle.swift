/// The colours of flame graphs: user frames warm, kernel frames cool, in as many shades.
enum FlameStyle {
  private static let shades = 12

  /// FNV-1a of the name: the same in every run.
  static func shade(of name: String) -> Int {
    let hash = name.utf8.reduce(0x811c_9dc5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    return Int(hash % UInt32(shades))
  }

  /// Letters are dark on light frames in both themes; only what is around the frames changes.
  static let text =
    """
    .flame{--ink:#1b1f24;--dim:#59636e;--sheet:#fff;--line:#b7bfc7;font:12px ui-monospace,Menlo,Consolas,\
    "DejaVu Sans Mono",monospace;color:var(--ink);display:block}
    @media (prefers-color-scheme:dark){.flame{--ink:#e6e9ec;--dim:#9aa4af;--sheet:#14171b;--line:#4a535d}}
    .flame .sheet{fill:var(--sheet)}
    .flame .f{cursor:pointer;outline:none}
    .flame .f text{fill:#16181b;pointer-events:none;white-space:pre}
    .flame .past{opacity:.45}
    .flame .hit rect{fill:#e0399b!important}.flame .hit text{fill:#fff}
    .flame .none{fill:var(--dim)}
    .flame .f rect{stroke:var(--sheet);stroke-width:.4}
    .flame .f:hover rect,.flame .f:focus rect{stroke:var(--ink);stroke-width:2}
    .flame .bar{font:14px system-ui,sans-serif;color:var(--ink);background:var(--sheet);padding:6px 8px 2px;\
    box-sizing:border-box}
    .flame .name{font-weight:600;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
    .flame .name span,.flame .found{font-weight:400;color:var(--dim)}
    .flame .tools{display:flex;gap:6px;align-items:center;margin:4px 0}
    .flame input{flex:0 1 22em;min-width:4em}
    .flame input,.flame button{font:inherit;color:inherit;background:var(--sheet);border:1px solid var(--line);\
    border-radius:5px;padding:2px 8px;box-sizing:border-box}
    .flame .about{font:12px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--dim);white-space:nowrap;\
    overflow:hidden;text-overflow:ellipsis;min-height:1.3em}
    .flame .found{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
    .flame .g rect{fill:#b9c4cf}
    """ + rules("u") { "hsl(\(14 + 3 * $0),\(82)%,\(66 + $0 % 4 * 4)%)" }
    + rules("k") { "hsl(\(178 + 4 * $0),\(58)%,\(66 + $0 % 4 * 4)%)" }

  private static func rules(_ place: String, _ colour: (Int) -> String) -> String {
    (0..<shades).map { ".flame .\(place)\($0) rect{fill:\(colour($0))}" }.joined()
  }
}
