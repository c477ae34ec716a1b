# SPDX-License-Identifier: MIT
# meanings.awk - docs/store-paths.md as rows of struct meaning: PATH = TYPE [TAGS] WRITER > READERS : WORDS
function c(text) { gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); return "\"" text "\"" }
/^```/ { fenced = !fenced; next }
fenced && /^\// {
	match($0, / = /); path = substr($0, 1, RSTART - 1); rest = substr($0, RSTART + 3)
	match(rest, / \[[a-z]*\] /); type = substr(rest, 1, RSTART - 1)
	tags = substr(rest, RSTART + 2, RLENGTH - 4); rest = substr(rest, RSTART + RLENGTH)
	words = ""
	if (match(rest, / : /)) { words = substr(rest, RSTART + 3); rest = substr(rest, 1, RSTART - 1) }
	match(rest, / > /)
	printf "{ %s, %s, %s, %s, %s, %s },\n", c(path), c(type), c(tags), c(substr(rest, 1, RSTART - 1)),
		c(substr(rest, RSTART + 3)), c(words)
}
