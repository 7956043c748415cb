/// How reports look: light or dark as the reader's system is, one column, tables that scroll in their own boxes.
enum ReportStyle {
  static let text = """

    :root{--ink:#1b1f24;--dim:#59636e;--sheet:#fff;--line:#d6dbe0;--fill:#2f6fde;--band:#f3f5f7;--bad:#c62828;\
    color-scheme:light dark}
    @media (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--dim:#9aa4af;--sheet:#14171b;--line:#333a42;--fill:#5b94f5;\
    --band:#1d2227;--bad:#ff7b72}}
    body{margin:0;background:var(--sheet);color:var(--ink);font:15px/1.45 system-ui,sans-serif;\
    -webkit-text-size-adjust:100%}
    header,main{max-width:1200px;margin:auto;padding:12px 16px}
    h1{font-size:1.35em;margin:.4em 0;overflow-wrap:anywhere}
    h2{font-size:1.1em;margin:1.6em 0 .4em;overflow-wrap:anywhere}
    dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(11em,1fr));gap:6px 18px;margin:0}
    dl div:first-child{grid-column:1/-1}
    dl div:first-child dd{font:13px/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
    dt{color:var(--dim);font-size:.85em}
    dd{margin:0;overflow-wrap:anywhere}
    nav ul{display:flex;flex-wrap:wrap;gap:2px 16px;padding:0;margin:12px 0 0;list-style:none}
    a{color:var(--fill)}
    nav a{display:inline-block;padding:3px 0;overflow-wrap:anywhere}
    .note,figcaption span,.axis{color:var(--dim);font-size:.9em;margin:.2em 0}
    .bad{color:var(--bad)}
    .scroll{overflow:auto;max-height:75vh;border:1px solid var(--line);border-radius:6px;margin:0}
    pre.scroll{padding:8px 10px;tab-size:8}
    pre,table{font:12.5px/1.4 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
    table{border-collapse:collapse}
    table:has(td.b){min-width:100%}
    th,td{text-align:left;padding:2px 10px;vertical-align:top;white-space:pre}
    th{position:sticky;top:0;background:var(--band);box-shadow:0 1px var(--line);z-index:1}
    tbody tr:nth-child(even){background:var(--band)}
    .n{text-align:right}
    td.b{width:45%;min-width:6em;padding-right:12px}
    td.b i{display:block;height:.85em;margin-top:.28em;background:var(--fill);border-radius:2px}
    th[role=button]{cursor:pointer}
    th[aria-sort=ascending]::after{content:" ▲"}
    th[aria-sort=descending]::after{content:" ▼"}
    figure{margin:0 0 14px}
    .time{display:block;background:var(--band);border-radius:6px}
    .time .e{fill:var(--fill)}
    .time .lost{fill:var(--bad);fill-opacity:.45}
    .axis{display:flex;justify-content:space-between}
    summary{cursor:pointer}

    """
}
