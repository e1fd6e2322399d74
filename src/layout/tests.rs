//! One layout a row, and each laid out again.

use super::*;

#[test]
fn layouts() {
    for (what, text, want) in [
        ("nothing", "", ""),
        ("blank lines", "\n\n\na=1\n\n\n\nb=2\n\n", "a = 1\n\nb = 2\n"),
        ("no line feed at the end", "a=1", "a = 1\n"),
        ("keys of a block", "a=1\nlong=2\n\nb=3\n", "a    = 1\nlong = 2\n\nb = 3\n"),
        ("a comment does not end a block", "a=1\n# c\nlong=2\n", "a    = 1\n# c\nlong = 2\n"),
        ("headers", "a=1\n[ b . 'c d' ]\n\nx=1\n[[  e]]\n", "a = 1\n\n[b.'c d']\nx = 1\n\n[[e]]\n"),
        ("comments of headers", "a=1\n# of b\n# too\n[b]#x\n", "a = 1\n\n# of b\n# too\n[b]  #x\n"),
        ("a comment apart", "# file\n\n[b]\n", "# file\n\n[b]\n"),
        (
            "comments of values",
            "a=1 # x\nlong=22    #y  \nb=3\n",
            "a    = 1   # x\nlong = 22  #y\nb    = 3\n",
        ),
        ("dotted keys", "a . b= 1\n\"x y\".z =2", "a.b     = 1\n\"x y\".z = 2\n"),
        ("lists", "a=[ 1,2 , 3, ]\nb=[]\nc=[ ]\n", "a = [1, 2, 3]\nb = []\nc = []\n"),
        ("a list over lines that fits", "a=[\n 1,\n\n 2\n]\n", "a = [1, 2]\n"),
        ("tables", "a={x=1,y={ },z=[{q=1}]}\n", "a = { x = 1, y = {}, z = [{ q = 1 }] }\n"),
        ("a table over lines that fits", "a={\nx=1,\n}\n", "a = { x = 1 }\n"),
        (
            "a list with comments",
            "a=[ # all\n1, # one\n\n # two\n 2 # 2\n , # more\n\n]#end\n",
            "a = [  # all\n  1,  # one\n\n  # two\n  2,  # 2\n  # more\n]  #end\n",
        ),
        (
            "a table on one line that holds such a list",
            "a={x=[ # c\n1],y=2}\n",
            "a = { x = [  # c\n  1,\n], y = 2 }\n",
        ),
        ("a table with a comment", "a={ x=1, # c\ny=2}\n", "a = {\n  x = 1,  # c\n  y = 2,\n}\n"),
        (
            "text over lines",
            "a=[\"\"\"x\n  y\"\"\",1]\n",
            "a = [\n  \"\"\"x\n  y\"\"\",\n  1,\n]\n",
        ),
        (
            "dates and numbers",
            "a=1979-05-27 07:32:00Z\nb=+1_0.5e-3\n",
            "a = 1979-05-27 07:32:00Z\nb = +1_0.5e-3\n",
        ),
        (
            "line ends of other systems",
            "\u{feff}a=1\r\n# c\r\n\r\nb=2\r\n",
            "a = 1\n# c\n\nb = 2\n",
        ),
        ("quotes stay", "a='x'\nb=\"\\u00e9\"\n", "a = 'x'\nb = \"\\u00e9\"\n"),
    ] {
        assert_eq!(lay_out(text).as_deref(), Some(want), "{what}");
        assert_eq!(lay_out(want).as_deref(), Some(want), "{what}, again");
    }
}

/// Both sides of the edge.
#[test]
fn a_list_is_broken_where_it_does_not_fit() {
    let of = |n: usize| format!("a = [\"{}\"]\n", "x".repeat(n));
    let fits = of(WIDTH - "a = [\"\"]".len());
    assert_eq!(lay_out(&fits).as_deref(), Some(&*fits));
    let long = "x".repeat(WIDTH - "a = [\"\"]".len() + 1);
    assert_eq!(lay_out(&of(long.len())), Some(format!("a = [\n  \"{long}\",\n]\n")));
    // A comma takes a column.
    let element = |n: usize| format!("  [\"{}\"],\n", "x".repeat(n));
    let most = WIDTH - "  [\"\"],".len();
    let whole = format!("a = [\n{}]\n", element(most));
    assert_eq!(lay_out(&whole), Some(whole));
    let broken = lay_out(&format!("a = [\n{}]\n", element(most + 1))).unwrap();
    assert_eq!(broken.lines().count(), 5, "{broken}");
}

/// Both sides of the edge, and what cannot be broken.
#[test]
fn a_condition_is_broken_where_it_does_not_fit() {
    let x = |n: usize| "x".repeat(n);
    let most = WIDTH - "when = 'a && '".len();
    let fits = format!("when = 'a && {}'\n", x(most));
    assert_eq!(lay_out(&fits).as_deref(), Some(&*fits));
    let (long, half) = (x(most + 1), x(WIDTH / 2));
    for (what, value, want) in [
        ("and", format!("'a && {long}'"), format!("  a\n  && {long}\n")),
        ("or first", format!("'a  && b || {long}'"), format!("  a  && b\n  || {long}\n")),
        (
            "an operand that does not fit",
            format!("'a || {half} && {half} && c'"),
            format!("  a\n  || {half}\n    && {half}\n    && c\n"),
        ),
        (
            "escapes",
            format!(r#""a == \"\u00e9\\\\\" && {long}""#),
            format!("  a == \"é\\\\\"\n  && {long}\n"),
        ),
        ("blanks around", format!("' a && {long} '"), format!("  a\n  && {long}\n")),
        ("quotes at the end", format!("\"{long} && 'a'\""), format!("  {long}\n  && 'a'\n")),
    ] {
        let want = format!("when = '''\n{want}'''  # c\nnext = 1\n");
        let key = format!("when={value} # c\nnext=1");
        assert_eq!(lay_out(&key).as_deref(), Some(&*want), "{what}");
        assert_eq!(lay_out(&want).as_deref(), Some(&*want), "{what}, again");
    }
    for (what, value) in [
        ("nothing to break at", format!("'{long}'")),
        ("all in brackets", format!("'(a && {long})'")),
        ("what a literal string cannot hold", format!("\"a == '''b''' && {long}\"")),
        ("a control character", format!(r#""a == '\u0001' && {long}""#)),
        ("a comment of CEL", format!("'a && {long} // b'")),
        ("what its author broke", format!("'''a\n&& {long}'''")),
        ("no expression", format!("'a && {long} && \"'")),
        ("another blank", format!("\"\u{a0}a && {long}\"")),
    ] {
        let text = format!("when = {value}\n");
        assert_eq!(lay_out(&text).as_deref(), Some(&*text), "{what}");
    }
    // The keys of others are others'.
    for text in [format!("then = 'a && {long}'\n"), format!("a.when = 'a && {long}'\n")] {
        assert_eq!(lay_out(&text).as_deref(), Some(&*text));
    }
}

/// The line breaks count: what is at the bound of an expression stays on its line.
#[test]
fn a_condition_does_not_grow_over_its_bound() {
    use crate::policy::expr::limits::MAX_LENGTH;
    // Two lines: two indents and a line break more, a blank becomes another.
    let more = 2 * 2 + 1;
    let of = |n: usize| format!("when = 'a && {}'\n", "x".repeat(n - "a && ".len()));
    assert_eq!(lay_out(&of(MAX_LENGTH - more)).unwrap().lines().count(), 4);
    assert_eq!(lay_out(&of(MAX_LENGTH - more + 1)), Some(of(MAX_LENGTH - more + 1)));
}

#[test]
fn a_table_stays_on_one_line_unless_its_author_broke_it() {
    let long = "x".repeat(WIDTH);
    let flat = format!("a = {{ x = \"{long}\", y = 1 }}\n");
    assert_eq!(lay_out(&flat).as_deref(), Some(&*flat));
    let broken = format!("a = {{\n  x = \"{long}\",\n  y = 1,\n}}\n");
    assert_eq!(lay_out(&broken).as_deref(), Some(&*broken));
}

#[test]
fn what_is_no_toml_is_not_laid_out() {
    let deep = |n: usize| format!("a = {}{}\n", "[".repeat(n), "]".repeat(n));
    for text in ["a", "a = ", "a = [1", "[a", "a = \"x", "= 1", "a = 1 b = 2", &deep(100_000)] {
        assert_eq!(lay_out(text), None, "{}", text.get(..20).unwrap_or(text));
    }
    assert!(lay_out(&deep(70)).is_some());
}
