/// Lua functions of three integers that are tried in the kernel, by what they try.
enum LuaFunctions {
  static let groups: [(name: String, bodies: [String])] = [
    ("arithmetic", arithmetic), ("comparisons", comparisons), ("truth", truth), ("branches", branches),
    ("numeric for", numericFor), ("while and repeat", whileAndRepeat), ("goto", gotos), ("calls", calls),
    ("tables", tables), ("text", text), ("libraries", libraries), ("errors", errors), ("variables", variables),
    ("many variables", manyVariables),
  ]

  private static let arithmetic: [String] = {
    let operators = ["+", "-", "*", "//", "%", "&", "|", "~", "<<", ">>"]
    let constants = ["0", "1", "-1", "7", "-7", "64", "math.maxinteger", "math.mininteger"]
    var bodies = operators.map { "return a \($0) b" }
    for constant in constants {
      bodies += ["//", "%", "<<", ">>"].map { "return a \($0) \(constant)" }
      bodies += ["//", "%", "<<", ">>", "-"].map { "return \(constant) \($0) a" }
    }
    return bodies + [
      "return -a", "return ~a", "return - -a", "return ~~a", "return -(-(a - 1) - 1)",
      "return a + b * c", "return (a + b) * c", "return a - b - c", "return a - (b - c)", "return a // b // 3",
      "return a * b % 10", "return a & b | c ~ 5", "return a << 1 + 1", "return (a << 1) + 1", "return -a * b",
      "return a + 1 << b & 7", "return a & 0xff << 4", "return ~a & b", "return a >> 1 << 1", "return a | -1",
      "return a * 0xffffffff",
      "return a + 0x7fffffffffffffff",
      "return a - math.mininteger",
      "return a * 3 - a * 2 - a",
      "return (a % 16 + 16) % 16 == a & 15", "return a // 16 == a >> 4", "return a // b * b + a % b == a",
      "return a % -16", "return a // -16", "return a // 1024 + a % 1024", "return (a << 63) >> 63",
    ]
  }()

  private static let comparisons: [String] = {
    let operators = ["<", "<=", ">", ">=", "==", "~="]
    var bodies = operators.map { "return a \($0) b" }
    for constant in ["0", "127", "-128", "128", "0x100000000", "math.mininteger"] {
      bodies += operators.map { "return a \($0) \(constant)" }
    }
    bodies += operators.map { "if a \($0) b then return 1 else return 2 end" }
    return bodies + [
      "return 5 < a", "return 5 >= a", "return a < b == true", "return a < b ~= (b < c)", "return a == b == c",
      "return (a < b) == (b > a)", "return a < b and b < c", "return not (a < b) == (a >= b)", "return nil == false",
      "return a == nil", "return nil ~= a", "return (a > 0) == nil", "local x = a > 0 and a or nil return x == a",
      "local x, y = a > 0 and a or nil, b > 0 and b or nil return x == y", "return a == 'a'", "return KN == nil",
      "local x = a > 0 local y = b > 0 return x == y", "local x = a > 0 or nil return x == true, x == false",
      "local x = a > 0 or nil return x ~= false", "local t = {} return t == t", "local t, u = {}, {} return t == u",
    ]
  }()

  private static let truth: [String] = {
    let values = ["nil", "false", "true", "0", "a", "(a > 0)", "(a > 0 and b or nil)", "(a > 0 and b > 0 or nil)"]
    var bodies: [String] = []
    for value in values {
      bodies += [
        "return not \(value)",
        "if \(value) then return 1 end return 2",
        "return \(value) and b",
        "return \(value) or c",
      ]
      bodies += ["local x = \(value) return x and true or false", "return not not \(value) == true"]
    }
    return bodies + [
      "return a > 0 and b > 0 and c", "return a > 0 or b > 0 or c", "return a > 0 and b or c > 0 and a",
      "return (a > 0 or b > 0) and (b > 0 or c > 0)",
      "return not (a > 0 and not (b > 0))",
      "return a and b and c and nil",
      "local x = a > 0 and nil return x", "local x = (a > 0 and false) if x == nil then return 1 end return x",
      "local x if a > 0 then x = true elseif b > 0 then x = 5 end if x then return x end return 'no' == 'yes'",
      "local x = KB and a return x", "local x = KN and a return x", "if KN then return nothing.at.all end return a",
    ]
  }()

  private static let branches = [
    "if a > 0 then return 1 end", "if a > 0 then elseif b > 0 then return 2 else return 3 end return 4",
    "local x = 0 if a > 0 then x = 1 if b > 0 then x = 2 else x = x + 3 end end return x",
    "local x = 1 if a > b then x = nil end return x", "local x = 1 if a > b then x = false end return x",
    "local x if a > 0 then x = 1 elseif b > 0 then x = true elseif c > 0 then x = false end return x",
    "local x, y = 1, 2 if a > 0 then x, y = y, x end return x * 10 + y",
    "local x = a if a > 0 then local x = b x = x + 1 end return x", "do return a end", "do local a = b return a end",
    "if a > 0 then return b end if a < 0 then return c end return 0", "if true then return 1 else return 2 end",
    "local x = 5 if x > 3 then return a else return b end", "local x = a if x == 7 then x = x + 1 end return x",
    "local n = 0 if a > 0 then n = n + 1 end if b > 0 then n = n + 2 end if c > 0 then n = n + 4 end return n",
    "if a > 0 and b > 0 or c > 0 and a ~= b then return 1 end return 0",
    "local x = a > b if x then x = c end if x then return x end return -1",
    "local s = a > 0 and 1 or a < 0 and -1 or 0 return s",
    "if not (a > 0) then if not (b > 0) then return 1 end end return 2",
  ]

  private static let numericFor: [String] = {
    let ranges = [
      "1, 10", "10, 1", "10, 1, -1", "1, 10, 3", "10, 1, -3", "0, 0", "1, 0", "-5, 5, 2", "a & 15, 20", "0, a & 15",
      "a & 15, 0, -2", "math.maxinteger - 2, math.maxinteger", "math.mininteger + 2, math.mininteger, -1",
      "math.mininteger, math.maxinteger, math.maxinteger", "math.maxinteger, math.mininteger, math.mininteger",
      "a, a",
      "a, a + 3",
      "a, a - 3, -1",
      "1, 9, (b & 3) + 1",
      "9, 1, -((b & 3) + 1)",
      "1, 9, (b & 3) - 2",
      "a, b, c | 1 << 61",
    ]
    return ranges.map {
      "local s, n = 0, 0 for i = \($0) do s = s * 3 + i n = n + 1 if n > 90 then break end end return s ~ n"
    }
      + [
        "for i = 1, 3 do end return a",
        "for i = 1, 3 do return i end",
        "for i = 1, 3 do if i == a then return i end end",
        "local s = 0 for i = 1, 4 do i = i * 2 s = s + i end return s", "local i = 7 for i = 1, 3 do end return i",
        "local s = 0 for i = 1, 3 do for j = 1, 3 do if j == 2 then break end s = s + i * j end end return s",
        "local s = 0 for i = 1, 3 do for j = i, 3 do for k = j, 3 do s = s + i * j * k * a end end end return s",
        "local s = 0 for i = 1, 5 do if i == (a & 7) then goto continue end s = s + i ::continue:: end return s",
        "local x for i = 1, 5 do if i == (a & 7) then x = i end end return x",
        "local x = 1 for i = 1, 5 do if i > 2 then x = nil end end return x",
        "local x, y, z = 1, 2, 3 for i = 1, a & 7 do x, y, z = y, z, x end return x * 100 + y * 10 + z",
        "local f0, f1 = 0, 1 for i = 1, a & 63 do f0, f1 = f1, f0 + f1 end return f0",
        "local last for i = 1, 3 do last = i > (a & 3) and i or last end return last",
        "local s = 0 for i = 1, 100000 do s = s + (i ~ a) end return s",
        "for i = 1, 2 do local x x = x or i return x end",
        "local p = true for i = 2, 20 do if (a & 255) % i == 0 and (a & 255) ~= i then p = false break end end return p",
        "local n = 0 for i = 0, 63 do n = n + (a >> i & 1) end return n", "for i = 1, 0 do return 1 end return 2",
        "local r = 0 for i = 0, 63 do r = r << 1 | (a >> i & 1) end return r",
        "local s = 0 for i = 1, 3 do local t = i * i if t > a then break end s = s + t end return s",
        "local s = 0 for i = 1, 3 do for j = 1, 3 do if i * j == (a & 7) then return s end s = s + 1 end end return -s",
        "local s = 0 for a1 = 1, 2 do for a2 = 1, 2 do for a3 = 1, 2 do for a4 = 1, 2 do for a5 = 1, 2 do "
          + "for a6 = 1, 2 do for a7 = 1, 2 do s = s + a1 + a2 * a3 - a4 * a5 + a6 * a7 end end end end end end end return s",
      ]
  }()

  private static let whileAndRepeat = [
    "local n = a & 15 while n > 0 do n = n - 1 end return n",
    "local n = 0 while true do n = n + 1 if n > (a & 15) then break end end return n",
    "local n = 0 while true do n = n + 1 if n > (a & 15) then return n end end", "while false do end return a",
    "local n = 0 repeat n = n + 1 until n >= (a & 15) return n", "repeat local x = a until x == a return 1",
    "repeat local done = true if a > 0 then break end until done return 2",
    "repeat return 1 until false",
    "repeat until true return a",
    "local n = 0 repeat local m = n n = n + 2 until m > 6 return n",
    "local x = a & 63 while x ~= 1 do if x == 0 then return nil end x = x >> 1 end return x",
    "local x, y = (a & 255) + 1, (b & 255) + 1 while y ~= 0 do x, y = y, x % y end return x",
    "local n, i = 0, 0 while i < 5 do i = i + 1 local j = 0 while j < i do j = j + 1 if j == 3 then break end n = n + j end end return n",
    "local n = 3 while n do n = n > 0 and n - 1 or nil end return n",
    "local n = 0 while n < 5 and (a >> n & 1) == 1 do n = n + 1 end return n",
    "local ok = true local n = 0 while ok do n = n + 1 ok = n < (a & 7) end return n",
    "local n = 5 repeat n = n - 1 if n == (a & 7) then return nil end until n == 0 return true",
    "local n = 0 repeat repeat n = n + 1 until n % 3 == 0 until n > (a & 15) return n",
    "local n = 0 while n < 10 do n = n + 1 while n % 4 ~= 0 do n = n + 1 end end return n",
    "local x = 1 while x < 1000000 do x = x * 3 + (a & 1) end return x",
    "local s, i = 0, 10 while i > 0 do i = i - 1 if i & 1 == 1 then goto next end s = s + i ::next:: end return s",
  ]

  private static let gotos = [
    "goto e do return 1 end ::e:: return 2", "if a > 0 then goto p end do return 1 end ::p:: return 2",
    "local n = 0 ::again:: n = n + 1 if n < (a & 7) then goto again end return n",
    "local n = 0 ::x:: do n = n + 1 if n == 3 then goto y end goto x end ::y:: return n",
    "for i = 1, 3 do for j = 1, 3 do if i * j == 4 then goto out end end end do return 0 end ::out:: return a",
    "local s = 0 for i = 1, 3 do for j = 1, 3 do if j > i then goto next end s = s + j end ::next:: end return s",
    "local n = 0 ::a1:: n = n + 1 if n < 3 then goto a1 end ::b1:: n = n + 10 if n < 40 then goto b1 end return n",
    "local n, m = 0, 0 ::outer:: m = 0 ::inner:: m = m + 1 n = n + m if m < 3 then goto inner end if n < 20 then goto outer end return n",
    "goto test ::body:: a = a - 1 ::test:: if a > 3 and a < 9 then goto body end return a",
    "do goto l1 end ::l0:: do return a end ::l1:: goto l0",
    "local i = 0 while true do i = i + 1 if i > 5 then goto done end end ::done:: return i",
    "::top:: do return a end goto top",
  ]

  private static let calls = [
    "return h_id(a)",
    "c, b = 1, h_none(c) or b return b", "c, b = 1, h_maybe(c) or b return b",
    "local t = { b, a > 0 and b or c, h_two(a, b) } return t[1] - t[2] + t[3]",
    "return h_add(a > 0 and b or c, h_two(a, b))",
    "return h_add(a, b) + h_add(b, c)",
    "return h_add(h_add(a, b), h_add(b, c))",
    "return h_none()",
    "local x = h_none() return x",
    "return (h_two(a, b))",
    "local x, y = h_two(a, b) return x - y",
    "local x, y, z = h_two(a, b) return z",
    "local x = h_two(a, b) return x",
    "return h_add(h_two(a, b))",
    "local t = { h_two(a, b) } return t[1] - t[2]",
    "local t = { h_two(a, b), c } return t[2]",
    "return h_sign(a) * b",
    "return h_maybe(a) or b",
    "if h_maybe(a) then return 1 end return 2",
    "return h_find(a & 31)",
    "return h_find(100)",
    "local s = 0 for i = 1, 5 do s = s + h_sign(i - 3) end return s",
    "local s = 0 for i = 1, 5 do s = s + (h_find(i * 3) or 100) end return s",
    "return h_apply(h_add, a, b)",
    "return h_apply(h_sub, a, b)",
    "h_id(a) return b",
    "return h_add(a, b, c)",
    "return h_id()",
    "return h_flag(a) == h_flag(b)",
    "return h_fact(a & 15)",
    "return h_deep(a)",
    "return h_record(a, b).x",
    "local r = h_record(a, b) return r.x - r.y",
    "for i = 1, 4 do local x = h_find(i + (a & 7)) if x then return x end end return -1",
    "local n = 0 while h_sign(n - 5) < 0 do n = n + 1 end return n", "return h_nested(a & 7, b & 7)",
  ]

  private static let tables = [
    "local t = { x = a, y = b } t.x = t.x + 1 return t.x * 2 - t.y",
    "local t = { x = a } return t.z",
    "local t = {} t.x = a return t.x",
    "local t = { a, b, c } t[2] = t[1] + t[3] return t[2]",
    "local t = { a, b } t[3] = c return #t",
    "local t = { a, b, c } return #t + t[#t]",
    "local t = { n = { x = a, y = { b } } } return t.n.x - t.n.y[1]",
    "local t = { x = a } local u = t u.x = b return t.x",
    "local t = { x = a } local n = { t = t } n.t.x = 5 return t.x",
    "local t if a > 0 then t = { x = 1 } else t = { x = 2 } end return t.x",
    "local t if a > 0 then t = { x = 1 } end if t then return t.x end return 0",
    "local t if a > 0 then t = { x = b } end return t and t.x",
    "local t = { x = 1 } if a > 0 then t.x = b end return t.x",
    "local t = { x = 1 } if a > 0 then t.y = b end return t.y",
    "local t = { 1 } if a > 0 then t[2] = b end return t[2]",
    "local t = { x = 0 } for i = 1, 5 do t.x = t.x + i end return t.x",
    "local t = { x = 0, y = a } for i = 1, 5 do t.x, t.y = t.y, t.x + i end return t.x - t.y",
    "local t = { 0, 0 } for i = 1, 4 do for j = 1, 3 do t[1] = t[1] + j end t[2] = t[2] + t[1] end return t[2]",
    "local t = { x = 1 } for i = 1, 5 do if i == (a & 7) then t.x = nil break end end return t.x",
    "local t for i = 1, 5 do t = { x = i, p = t and t.x } end return t.x * 10 + t.p",
    "local t = { x = a } for i = 1, 3 do local u = t u.x = u.x + 1 end return t.x",
    "local t = { x = a, x = b } return t.x",
    "local t = { [1] = a, b } return t[1]",
    "local t = { x = true } if a > 0 then t.x = false end return t.x",
    "return KT.x + KT[1] + KT.n.z",
    "return KT.none",
    "return KT[9]",
    "local k = KT return k.n.z + a",
    "local t = { x = a } local function_like = t.x return function_like + 1",
    "local t = { a, nil, c } return t[2], 1",
    "local t = { x = { y = a } } t.x = { y = b } return t.x.y",
    "local t = { a, b, c } local s = 0 for i = 1, 2 do s = s * 2 + t[1] - t[3] end return s",
    "local t = { x = a } return t.x == a and t['x'] == t.x",
    "local t = { a } return t[math.mininteger]",
    "local t = { a } return t[0]",
    "local t = { x = a > 0 and b or nil } return t.x == nil",
  ]

  private static let text = [
    "return 'a' == 'a'",
    "local s = a > 0 and 'abcdefgh' or 'abcdefgX' local t = b > 0 and 'abcdefgh' or 'abcdefgY' return s == t",
    "local s = a > 0 and 'abcdefgh' or 'x' local t = b > 0 and 'abcdefgh' or 'more than eight bytes' return s == t",
    "return 'a' == 'b'",
    "return #'abc'",
    "return #''",
    "local s = a > 0 and 'x' or 'yy' return #s",
    "local s = 'x' if a > 0 then s = 'x y z and more than eight' end return #s",
    "local s = a > 0 and 'x' or 'yy' return s == 'yy'",
    "local s = a > 0 and 'x' or nil return s == 'x'",
    "local s, t = 'a', 'b' if a > 0 then s, t = t, s end return s == 'b', t",
    "local s = a > 0 and 'same' or 'other' local t = b > 0 and 'same' or 'third' return s == t",
    "local s = 'a' for i = 1, 3 do if i == (a & 3) then s = 'bb' end end return #s",
    "local s, t = 'a', 'bb' for i = 1, a & 7 do s, t = t, s end return #s",
    "local s, t, u = 'a', 'bb', 'ccc' for i = 1, a & 7 do s, t, u = t, u, s end return #s * 10 + #u",
    "local s = nil for i = 1, 3 do if i > (a & 3) then s = s == nil and 'first' or 'later' end end return s == 'first'",
    "local t = { s = 'a' } for i = 1, a & 3 do t.s = t.s == 'a' and 'bb' or 'a' end return #t.s",
    "return KS == 'abc'",
    "return #KS + #KT.y",
    "return KT.y == KS",
    "local p for i = 1, 4 do local s = i > (a & 3) and 'long enough text' or 'no' if p == s then return i end p = s end return 0",
    "return ('abc'):len() == 3",
    "return 'a' == 97",
    "return a == '7'",
    "local s, n = 'a', nil for i = 1, a & 7 do if i & 1 == 1 then s, n = n, s end end return s == 'a'",
  ]

  private static let libraries = [
    "return math.min(a, b)",
    "return math.max(a, b, c)",
    "return math.min(a)",
    "return math.max(1, a, 3)",
    "return math.abs(a)",
    "return math.abs(a - b)",
    "return math.ult(a, b)",
    "return math.ult(1, a)",
    "return math.tointeger(a)",
    "return math.tointeger(nil)",
    "return math.tointeger(a > 0)",
    "return math.tointeger(a > 0 and b or nil)",
    "return math.maxinteger - a",
    "return math.mininteger == a",
    "return math.max(math.min(a, 10), -10)",
    "return math.abs(a, nil)",
    "return math.ult(a, b, c)",
    "return math.min == math.min",
    "return math.min(a, math.max(b, c)) + 1",
  ]

  private static let errors = [
    "return a // 0",
    "return a % 0",
    "return 1 // (a & 1)",
    "return nil + a",
    "return a + nil",
    "local x return x + 1",
    "local x if a > 0 then x = 1 end return -x",
    "local x = a > 0 return x + 1",
    "return a < nil",
    "return nil < nil",
    "return (a > 0) < (b > 0)",
    "local t return t.x",
    "local t if a > 0 then t = { x = 1 } end return t.x",
    "return nil + (a > 0 and 1 or nil)",
    "for i = 1, 10, 0 do end",
    "for i = 1, 10, a & 1 do return 3 end",
    "for i = 1, a > 0 and 3 or nil do return i end",
    "for i = nil, 3 do end",
    "local s = 0 for i = -3, 3 do s = s + 10 // (i - (a & 3)) end return s",
    "KN() return 1",
    "return math.abs()",
    "return math.abs(nil)",
    "return math.ult(a)",
    "return math.max(a, nil)",
    "local x = nil if a > 0 then return x + 1 end return 3",
    "return #KN",
    "return 'x' + a",
    "return {} + a",
    "local x = 1 while x < 3 do x = x + (a > 0 and 1 or nil) end return x",
    "return a & nil",
    "return ~nil",
    "return - (a > 0)",
    "while true do end",
  ]

  private static let variables = [
    "local x = a local y = x x = b return y",
    "local a, b = b, a return a - b",
    "local x, y, z = a, b return z",
    "local x = a, b return x",
    "a = a + 1 b = a * 2 return b",
    "local x = a do local x = b x = c end return x",
    "local x <const> = 5 return x + a",
    "local x = 1 local x = x + a return x",
    "local t = { a, b, c } local x, y = t[1], t[2] x, y, t[1] = y, x, 9 return x - y + t[1]",
    "local v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12 = a+1, b+2, c+3, a*4, b*5, c*6, a-7, b-8, c-9, a&10, b|11, c~12 return v1~v2+v3~v4+v5~v6+v7~v8+v9~v10+v11~v12",
    "local x = ((a + b) * (b + c) - (a - b) * (c - a)) // (((a & 7) + (b & 7)) * ((c & 7) + 1) | 1) return x",
    "local n for i = 1, 3 do local m = n n = i if m == 2 then return m + n end end return n",
    "local x = 5 x = x > 3 and nil return x",
    "local x x = a x = x > 0 x = x and 'y' return x == 'y'",
    "return K1 + K2 * KL", "local k = K1 for i = 1, 3 do k = k + K1 end return k", "return KB and K1 or K2",
    "local v = {} v.a, v.b, v.c = a, b, c local s = 0 for i = 1, 3 do s = s + v.a * i - v.b + v.c end return s",
  ]

  /// More values at a time than the kernel's stack has room for, which is 64.
  private static let manyVariables = [70, 130, 190].flatMap { count in
    let values = (1...count).map { "local v\($0) = a * \($0) ~ b" }.joined(separator: " ")
    let sum = (1...count).map { "v\($0) * \($0)" }.joined(separator: " + ")
    return [
      "\(values) return \(sum)",
      "\(values) if c > 0 then v1, v2, v\(count) = v\(count), v1 + c, b end return \(sum)",
      "\(values) for i = 1, c & 7 do v1 = v1 + v\(count) * i v3 = v1 end return \(sum)",
      "\(values) if v\(count) // c > v1 then return v7 end v7 = v8 and v9 return h_find(c) or \(sum)",
    ]
  }
}
