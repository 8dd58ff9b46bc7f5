"""Names and titles as somebody would choose them who wants our messages to do something."""

HOSTILE = (
    # mentions and groups
    "@everyone", "@admin hello", "hey @staff", "a@b", "x@here.", "\uff20moderators", "@user-1_x",
    # hashtags, emoji, bare addresses
    "#help", "#general::tag", ":skull:", "evil.example.com", "www.evil.example", "https://evil.example/x",
    "http://evil.example", "//evil.example", "ftp://evil.example", "mailto:a@evil.example",
    # Markdown
    "**bold**", "*it*", "__b__", "_i_", "`code`", "```\ncode\n```", "~~gone~~", "[link](https://evil.example)",
    "![pic](https://evil.example/p.png)", "[ref]: https://evil.example",
    "<https://evil.example>", "# Heading",
    "- item", "1. item", "> quote", "---", "===", "| a | b |", "\\", "\\*", "[^1]", "[x]", "$x$",
    "a](https://e.x)[b",
    # HTML, comments and our own markers
    "<script>alert(1)</script>", "<b>b</b>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", "&#64;admin",
    "<!-- hidden", "-->", "<!-- Ordito keeps what follows; edits here are lost -->", "<!-- Ordito: end -->",
    "<!-- ordito:abc -->", "</div>", "<nowiki>", "</nowiki>{{x}}",
    # Discourse's BBCode
    "[quote=\"admin\"]x[/quote]", "[details=x]y[/details]", "[poll]\n* a\n[/poll]", "[/quote]",
    "[spoiler]x[/spoiler]",
    # wikitext
    "{{nobots}}", "{{Template|x}}", "{{{1}}}", "[[File:X.jpg]]", "[[Category:X]]", "[https://evil.example x]",
    "'''b'''", "''i''", "== H ==", "~~~~", "~~~", "__NOTOC__", "* item", ": indent", "; term", "{| table",
    "|}",
    "#REDIRECT [[X]]", "<ref>x</ref>", "{{subst:x}}", "RFC 2616", "ISBN 0123456789", "-{x}-",
    # Jinja
    "{{ 7 * 7 }}", "{% raw %}", "{{ member.name.__class__ }}", "{# note #}", "{% include 'x' %}",
    # lines, invisible characters, directions
    "two\nlines", "Subject: other\n\ntext", "a\r\nb", "a\u2028b", "a\u0085b", "tab\tbed", "nul\x00",
    "zero\u200bwidth", "@\u200badmin", "\u202eevil\u202c", "\u2066x\u2069", "soft\u00adhyphen", "\ufeffbom",
    "STOP", "  spaces  ", "%s {0} {phrase}", "null", "\u0625\u062f\u0627\u0631\u0629", "\U0001f600",
)  # fmt: skip
