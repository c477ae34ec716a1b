/* SPDX-License-Identifier: MIT */
/*
 * test_rule.c - schemas of one's own: what each keyword lets pass below, at and past its limit, in
 * a document and where nobody says what a value is; what is no schema, and where that is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "die.h"
#include "doc.h"
#include "rule.h"
#include "xs_kind.h"

#define ANY RULE_ANY_KIND
#define TEXT XS_KIND_TEXT
#define NUM XS_KIND_NUMBER
#define BOOL XS_KIND_BOOL
#define NUL XS_KIND_NULL
#define OBJ XS_KIND_OBJECT
#define LIST XS_KIND_LIST

/* ---- what is allowed ---- */

struct row {
	const char *schema, *tail, *value;
	int kind;
	const char *keyword; /* that does not let it pass; NULL: it may be there */
};

#define INT(more) "{\"type\":\"integer\"" more "}"
#define STR(more) "{\"type\":\"string\"" more "}"
#define OBJECT(more) "{\"type\":\"object\"" more "}"
#define BETWEEN ",\"minimum\":-2,\"maximum\":10"
#define KIDS ",\"properties\":{\"port\":" INT("") ",\"key.sub\":" STR("") "}"

static const struct row rows[] = {
	/* types, where a document says which, and where nobody does */
	{ "{}", "", "x", TEXT, NULL },
	{ STR(""), "", "x", TEXT, NULL },
	{ STR(""), "", "", TEXT, NULL },
	{ STR(""), "", "5", NUM, "type" },
	{ STR(""), "", "5", ANY, NULL },
	{ STR(""), "", "", NUL, "type" },
	{ INT(""), "", "5", NUM, NULL },
	{ INT(""), "", "-5", ANY, NULL },
	{ INT(""), "", "5", TEXT, "type" },
	{ INT(""), "", "5.0", NUM, "type" },
	{ INT(""), "", "5e3", ANY, "type" },
	{ INT(""), "", "05", ANY, "type" },
	{ INT(""), "", "+5", ANY, "type" },
	{ INT(""), "", " 5", ANY, "type" },
	{ INT(""), "", "", ANY, "type" },
	{ INT(""), "", "1", BOOL, "type" },
	{ "{\"type\":\"number\"}", "", "5.25e-3", ANY, NULL },
	{ "{\"type\":\"number\"}", "", "5", NUM, NULL },
	{ "{\"type\":\"number\"}", "", "0x5", ANY, "type" },
	{ "{\"type\":\"boolean\"}", "", "1", BOOL, NULL },
	{ "{\"type\":\"boolean\"}", "", "0", ANY, NULL },
	{ "{\"type\":\"boolean\"}", "", "2", ANY, "type" },
	{ "{\"type\":\"boolean\"}", "", "true", ANY, "type" },
	{ "{\"type\":\"boolean\"}", "", "1", NUM, "type" },
	{ "{\"type\":\"null\"}", "", "", NUL, NULL },
	{ "{\"type\":\"null\"}", "", "", ANY, NULL },
	{ "{\"type\":\"null\"}", "", "0", ANY, "type" },
	{ OBJECT(""), "", "", OBJ, NULL },
	{ OBJECT(""), "", "", ANY, NULL },
	{ OBJECT(""), "", "x", ANY, "type" },
	{ OBJECT(""), "", "", LIST, "type" },
	{ "{\"type\":\"array\"}", "", "", LIST, NULL },
	{ "{\"type\":\"array\"}", "", "", OBJ, "type" },
	{ "{\"type\":[\"integer\",\"null\"]}", "", "", NUL, NULL },
	{ "{\"type\":[\"integer\",\"null\"]}", "", "7", ANY, NULL },
	{ "{\"type\":[\"integer\",\"null\"]}", "", "x", ANY, "type" },
	/* numbers */
	{ INT(BETWEEN), "", "-3", NUM, "minimum" },
	{ INT(BETWEEN), "", "-2", NUM, NULL },
	{ INT(BETWEEN), "", "10", ANY, NULL },
	{ INT(BETWEEN), "", "11", ANY, "maximum" },
	{ "{\"type\":\"number\",\"minimum\":0.5,\"maximum\":1e3}", "", "0.49", ANY, "minimum" },
	{ "{\"type\":\"number\",\"minimum\":0.5,\"maximum\":1e3}", "", "0.5", ANY, NULL },
	{ "{\"type\":\"number\",\"minimum\":0.5,\"maximum\":1e3}", "", "1000", ANY, NULL },
	{ "{\"type\":\"number\",\"minimum\":0.5,\"maximum\":1e3}", "", "1000.1", ANY, "maximum" },
	{ INT(",\"maximum\":9223372036854775806"), "", "9223372036854775806", ANY, NULL },
	{ INT(",\"maximum\":9223372036854775806"), "", "9223372036854775807", ANY, "maximum" },
	{ INT(",\"maximum\":5"), "", "1" "0000000000" "0000000000" "0000000000", ANY, "maximum" },
	/* texts: characters, not bytes */
	{ STR(",\"minLength\":2,\"maxLength\":3"), "", "a", ANY, "minLength" },
	{ STR(",\"minLength\":2,\"maxLength\":3"), "", "ab", ANY, NULL },
	{ STR(",\"minLength\":2,\"maxLength\":3"), "", "\303\244\303\244\303\244", ANY, NULL },
	{ STR(",\"minLength\":2,\"maxLength\":3"), "", "\303\244", ANY, "minLength" },
	{ STR(",\"minLength\":2,\"maxLength\":3"), "", "\377\376\375", ANY, NULL },
	{ STR(",\"minLength\":2,\"maxLength\":3"), "", "abcd", TEXT, "maxLength" },
	{ STR(",\"maxLength\":0"), "", "", TEXT, NULL },
	{ STR(",\"maxLength\":0"), "", "a", TEXT, "maxLength" },
	{ STR(",\"pattern\":\"^[a-c]{2}$\""), "", "ab", ANY, NULL },
	{ STR(",\"pattern\":\"^[a-c]{2}$\""), "", "abc", ANY, "pattern" },
	{ STR(",\"pattern\":\"b\""), "", "abc", ANY, NULL }, /* anywhere in it */
	{ STR(",\"pattern\":\"^[0-9]+$\""), "", "12", ANY, NULL },
	/* what may be a number or a text has to be a good one of either */
	{ "{\"type\":[\"integer\",\"string\"],\"maximum\":5,\"maxLength\":1}", "", "3", ANY, NULL },
	{ "{\"type\":[\"integer\",\"string\"],\"maximum\":5,\"maxLength\":1}", "", "9", ANY, NULL },
	{ "{\"type\":[\"integer\",\"string\"],\"maximum\":5,\"maxLength\":1}", "", "9", NUM, "maximum" },
	{ "{\"type\":[\"integer\",\"string\"],\"maximum\":5,\"maxLength\":1}", "", "10", ANY, "maximum" },
	/* words */
	{ "{\"enum\":[\"on\",5,true,null]}", "", "on", ANY, NULL },
	{ "{\"enum\":[\"on\",5,true,null]}", "", "5", NUM, NULL },
	{ "{\"enum\":[\"on\",5,true,null]}", "", "5.0", NUM, NULL },
	{ "{\"enum\":[\"on\",5,true,null]}", "", "5", TEXT, "enum" },
	{ "{\"enum\":[\"on\",5,true,null]}", "", "1", BOOL, NULL },
	{ "{\"enum\":[\"on\",5,true,null]}", "", "0", BOOL, "enum" },
	{ "{\"enum\":[\"on\",5,true,null]}", "", "", NUL, NULL },
	{ "{\"enum\":[\"on\",5,true,null]}", "", "On", ANY, "enum" },
	{ "{\"enum\":[\"on\",5,true,null]}", "", "", TEXT, "enum" },
	{ STR(",\"enum\":[\"a\",\"b\"],\"minLength\":1"), "", "b", ANY, NULL },
	{ "{\"enum\":[\"on\"]}", "/a", "1", ANY, "enum" }, /* it would make an empty value above it */
	{ "{\"type\":[\"object\",\"null\"],\"enum\":[null]}", "/a", "1", ANY, NULL },
	/* names */
	{ OBJECT(KIDS), "/port", "80", NUM, NULL },
	{ OBJECT(KIDS), "/port", "x", ANY, "type" },
	{ OBJECT(KIDS), "/key@2esub", "x", TEXT, NULL },
	{ OBJECT(KIDS), "/key@2esub", "7", NUM, "type" },
	{ OBJECT(KIDS), "/other/deep", "x", TEXT, NULL },
	{ OBJECT(KIDS), "/port/deep", "x", TEXT, "type" },
	{ OBJECT(KIDS ",\"additionalProperties\":false"), "/port", "1", NUM, NULL },
	{ OBJECT(KIDS ",\"additionalProperties\":false"), "/prot", "1", NUM, "additionalProperties" },
	{ OBJECT(KIDS ",\"additionalProperties\":false"), "/a/b", "1", NUM, "additionalProperties" },
	{ OBJECT(KIDS ",\"additionalProperties\":true"), "/prot", "1", NUM, NULL },
	{ OBJECT(KIDS ",\"additionalProperties\":{\"type\":\"null\"}"), "/prot", "1", NUM, "type" },
	{ OBJECT(KIDS ",\"additionalProperties\":{\"type\":\"null\"}"), "/port", "1", NUM, NULL },
	{ OBJECT(",\"patternProperties\":{\"^a\":" INT("") ",\"z$\":" INT(",\"minimum\":3") "}"),
	  "/ab", "1", NUM, NULL },
	{ OBJECT(",\"patternProperties\":{\"^a\":" INT("") ",\"z$\":" INT(",\"minimum\":3") "}"),
	  "/az", "1", NUM, "minimum" },
	{ OBJECT(",\"patternProperties\":{\"^a\\\\.b$\":" INT("") "},\"additionalProperties\":false"),
	  "/a@2eb", "1", NUM, NULL },
	{ OBJECT(",\"patternProperties\":{\"^a\\\\.b$\":" INT("") "},\"additionalProperties\":false"),
	  "/axb", "1", NUM, "additionalProperties" },
	/* several floors */
	{ OBJECT(",\"properties\":{\"a\":" OBJECT(",\"properties\":{\"b\":" INT(",\"maximum\":1") "}") "}"),
	  "/a/b", "1", NUM, NULL },
	{ OBJECT(",\"properties\":{\"a\":" OBJECT(",\"properties\":{\"b\":" INT(",\"maximum\":1") "}") "}"),
	  "/a/b", "2", NUM, "maximum" },
	{ OBJECT(",\"properties\":{\"a\":" OBJECT(",\"properties\":{\"b\":" INT(",\"maximum\":1") "}") "}"),
	  "/a", "2", NUM, "type" },
	/* lists */
	{ "{\"type\":\"array\",\"items\":" INT("") ",\"maxItems\":2}", "/0", "1", NUM, NULL },
	{ "{\"type\":\"array\",\"items\":" INT("") ",\"maxItems\":2}", "/1", "x", ANY, "type" },
	{ "{\"type\":\"array\",\"items\":" INT("") ",\"maxItems\":2}", "/2", "1", NUM, "maxItems" },
	{ "{\"type\":\"array\",\"items\":" INT("") ",\"maxItems\":2}", "/01", "1", NUM, "type" },
	{ "{\"type\":\"array\",\"items\":" INT("") ",\"maxItems\":2}", "/x", "1", NUM, "type" },
	{ "{\"type\":\"array\",\"items\":" INT("") "}", "/999999999", "1", NUM, NULL },
	{ "{\"type\":\"array\",\"items\":" OBJECT(KIDS) "}", "/3/port", "x", ANY, "type" },
	{ "{\"type\":\"array\",\"maxItems\":0}", "/0", "1", NUM, "maxItems" },
	/* alternatives: what came furthest is told */
	{ "{\"anyOf\":[" OBJECT(KIDS) ",{\"type\":\"null\"}]}", "/port", "1", NUM, NULL },
	{ "{\"anyOf\":[{\"type\":\"null\"}," OBJECT(KIDS) "]}", "/port", "1.5", NUM, "type" },
	{ "{\"anyOf\":[" INT(",\"maximum\":5") "," INT(",\"minimum\":9") "]}", "", "9", NUM, NULL },
	{ "{\"anyOf\":[" INT(",\"maximum\":5") "," INT(",\"minimum\":9") "]}", "", "7", NUM, "maximum" },
	{ "{\"type\":\"integer\",\"anyOf\":[{\"enum\":[\"x\",3]}]}", "", "3", NUM, NULL },
	{ "{\"type\":\"integer\",\"anyOf\":[{\"enum\":[\"x\",3]}]}", "", "x", ANY, "type" },
	/* what only describes */
	{ STR(",\"title\":\"t\",\"description\":\"d\",\"$comment\":\"c\",\"$schema\":\"s\",\"default\":\"q\","
	      "\"writeOnly\":true,\"x-lasts\":false"), "", "x", ANY, NULL },
};

static struct rule *rule_of(const char *schema)
{
	struct doc d = { .name = "test" };
	struct rule *r = rule_read(&d, schema, strlen(schema));

	if (!r)
		fail_msg("%s is refused", schema);
	return r;
}

static void test_each_keyword_at_its_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *t = &rows[i];
		const struct rule_value v = { t->value, strlen(t->value), t->kind };
		struct rule *r = rule_of(t->schema);
		struct rule_fault f;
		bool ok = rule_allows(r, t->tail, &v, &f);

		if (ok != !t->keyword || (!ok && strcmp(f.keyword, t->keyword) != 0))
			fail_msg("%s: '%s' at '%s': %s", t->schema, t->value, t->tail,
				 ok ? "allowed" : f.keyword);
		rule_free(r);
	}
}

static void test_bytes_with_a_nul_are_seen_whole(void **state)
{
	struct rule *r = rule_of(STR(",\"pattern\":\"b$\",\"maxLength\":3"));
	const struct rule_value v = { "a\0b", 3, ANY }, w = { "a\0b\0", 4, ANY };
	struct rule_fault f;

	(void)state;
	assert_true(rule_allows(r, "", &v, &f));
	assert_false(rule_allows(r, "", &w, &f));
	assert_string_equal(f.keyword, "maxLength");
	rule_free(r);
}

static void test_a_secret_is_not_told(void **state)
{
	struct rule *r = rule_of(STR(",\"writeOnly\":true,\"minLength\":9"));
	const struct rule_value v = { "geheim", 6, TEXT };
	struct rule_fault f;

	(void)state;
	assert_false(rule_allows(r, "", &v, &f));
	assert_null(strstr(f.text, "geheim"));
	rule_free(r);
}

/* Whichever part of the schema does not let it pass. */
static void test_a_secret_is_told_by_no_other_part(void **state)
{
	static const struct row secrets[] = {
		{ "{\"writeOnly\":true,\"anyOf\":[" STR(",\"minLength\":9") "]}", "", "geheim", TEXT, NULL },
		{ "{\"anyOf\":[" STR(",\"minLength\":9") ",{\"type\":\"null\",\"writeOnly\":true}]}", "", "geheim",
		  TEXT, NULL },
		{ OBJECT(",\"properties\":{\"k\":{\"writeOnly\":true}},\"patternProperties\":{\"k\":" INT("") "}"),
		  "/k", "geheim", TEXT, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		const struct rule_value v = { secrets[i].value, 6, TEXT };
		struct rule *r = rule_of(secrets[i].schema);
		struct rule_fault f;

		assert_false(rule_allows(r, secrets[i].tail, &v, &f));
		assert_null(strstr(f.text, "geheim"));
		rule_free(r);
	}
}

/* From each byte of a text on a match is looked for: of a long one that would take minutes. */
static void test_long_texts_are_matched_from_their_begin_only(void **state)
{
	static char text[(1 << 20) + 1]; /* with a NUL behind it, as values have */
	const struct rule_value whole = { text, sizeof(text) - 1, TEXT }, most = { text, 4096, TEXT },
				more = { text, 4097, TEXT };
	struct rule *r = rule_of(STR(",\"pattern\":\"a+@|b+@|a$\"")),
		    *anchored = rule_of(STR(",\"pattern\":\"^a+@a+\""));
	struct rule_fault f;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	assert_true(rule_allows(r, "", &most, &f));
	assert_false(rule_allows(r, "", &more, &f));
	assert_non_null(strstr(f.text, "at most 4096 bytes"));
	assert_false(rule_allows(r, "", &whole, &f));
	assert_false(rule_allows(anchored, "", &whole, &f));
	text[5] = '@';
	assert_true(rule_allows(anchored, "", &whole, &f));
	rule_free(r);
	rule_free(anchored);
}

static void test_a_pattern_is_told_so_that_it_harms_no_terminal(void **state)
{
	struct rule *r = rule_of(STR(",\"pattern\":\"^\\u001b[a]$\""));
	const struct rule_value v = { "x", 1, TEXT };
	struct rule_fault f;

	(void)state;
	assert_false(rule_allows(r, "", &v, &f));
	assert_null(strchr(f.text, 033));
	rule_free(r);
}

/* Patterns of every day are far from what is too much. */
static void test_patterns_that_repeat_are_taken(void **state)
{
	static const char *const patterns[] = {
		"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "^([0-9]{1,3}[.]){3}[0-9]{1,3}$", "^.{0,1990}$",
		"^([a-z]+[.])+[a-z]{2,}$", "[]{2001}]", "[^]{2001}]", "[[:space:]{2001}]", "a[{]2001}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text), STR(",\"pattern\":\"%s\""), patterns[i]);
		rule_free(rule_of(text));
	}
}

/* ---- what is no schema ---- */

static char said[4096];

static void say(const char *text)
{
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", text);
}

static const struct {
	const char *text, *says; /* how the first line begins, and words of it */
	const char *words;
} wrong[] = {
	{ "", "x:1:1: ", "is empty" },
	{ "{", "x:1:", "" },
	{ "[]", "x:1:1: (document): ", "a schema is an object" },
	{ "{}\n {}", "x:2:2: ", "something follows" },
	{ "{\"type\":\"integer\",\n \"minimun\":1}", "x:2:12: /minimun: ", "did you mean minimum?" },
	{ "{\"typ\":\"integer\"}", "x:1:8: /typ: ", "did you mean type?" },
	{ "{\"required\":[\"a\"]}", "x:1:13: /required: ", "is not known: type, enum" },
	{ "{\"$ref\":\"#\"}", "x:1:9: /$ref: ", "is not known" },
	{ OBJECT(",\n\"properties\":{\"a\":{\"$ref\":\"#\"}}"), "x:2:27: /properties/a/$ref: ", "is not known" },
	{ "{\"type\":\"int\"}", "x:1:9: /type: ", "integer" },
	{ "{\"type\":[]}", "x:1:9: /type: ", "integer" },
	{ "{\"type\":[\"null\",1]}", "x:1:9: /type: ", "integer" },
	{ "{\"type\":5}", "x:1:9: /type: ", "integer" },
	{ "{\"enum\":\"a\"}", "x:1:9: /enum: ", "a list" },
	{ "{\"enum\":[]}", "x:1:9: /enum: ", "a list" },
	{ "{\"enum\":[1,\n[2]]}", "x:2:1: /enum/1: ", "a value" },
	{ INT(",\"minimum\":\"1\""), "x:1:29: /minimum: ", "is a number" },
	{ INT(",\"maximum\":1e9999"), "x:1:", "" },
	{ INT(",\"minimum\":2,\"maximum\":1"), "x:1:1: (document): ", "nothing is possible" },
	{ STR(",\"minLength\":-1"), "x:1:30: /minLength: ", "0 to 1000000000" },
	{ STR(",\"maxLength\":1.5"), "x:1:30: /maxLength: ", "without fraction" },
	{ STR(",\"maxLength\":1000000001"), "x:1:30: /maxLength: ", "0 to 1000000000" },
	{ STR(",\"minLength\":2,\"maxLength\":1"), "x:1:1: (document): ", "nothing is possible" },
	{ STR(",\"pattern\":5"), "x:1:28: /pattern: ", "is a text" },
	{ STR(",\"pattern\":\"a(\""), "x:1:28: /pattern: ", "is no pattern" },
	{ STR(",\"pattern\":\"[[\""), "x:1:28: /pattern: ", "is no pattern" },
	{ STR(",\"pattern\":\"[[:\""), "x:1:28: /pattern: ", "is no pattern" },
	{ STR(",\"pattern\":\"[^\""), "x:1:28: /pattern: ", "is no pattern" },
	{ STR(",\"pattern\":\"a{1\""), "x:1:28: /pattern: ", "is no pattern" },
	{ STR(",\"pattern\":\"a{1,32767}\""), "x:1:28: /pattern: ", "repeats too much" },
	{ STR(",\"pattern\":\"((a{1,20}){20}){1,20}\""), "x:1:28: /pattern: ", "repeats too much" },
	{ STR(",\"pattern\":\"a{1999,}b\""), "x:1:28: /pattern: ", "repeats too much" },
	{ STR(",\"pattern\":\"(((((((((((a+)+)+)+)+)+)+)+)+)+)+)+\""), "x:1:28: /pattern: ", "repeats too much" },
	{ STR(",\"pattern\":\"\\\\d\""), "x:1:28: /pattern: ", "\\d is none" },
	{ STR(",\"pattern\":\"(?:a)\""), "x:1:28: /pattern: ", "(? is none" },
	{ OBJECT(",\"properties\":[]"), "x:1:31: /properties: ", "is an object" },
	{ OBJECT(",\"properties\":{\"a\":true}"), "x:1:36: /properties/a: ", "a schema is an object" },
	{ OBJECT(",\"patternProperties\":{\"[\":{}}"), "x:1:43: /patternProperties/[: ", "is no pattern" },
	{ OBJECT(",\"additionalProperties\":1"), "x:1:41: /additionalProperties: ", "a schema is an object" },
	{ "{\"type\":\"array\",\"items\":[{}]}", "x:1:25: /items: ", "a schema is an object" },
	{ "{\"type\":\"array\",\"maxItems\":\"2\"}", "x:1:28: /maxItems: ", "is a number" },
	{ "{\"anyOf\":[]}", "x:1:10: /anyOf: ", "a list of schemas" },
	{ "{\"anyOf\":[{},\n5]}", "x:2:1: /anyOf/1: ", "a schema is an object" },
	{ "{\"title\":1}", "x:1:10: /title: ", "is a text" },
	{ "{\"description\":1}", "x:1:16: /description: ", "is a text" },
	{ "{\"$comment\":1}", "x:1:13: /$comment: ", "is a text" },
	{ "{\"$schema\":1}", "x:1:12: /$schema: ", "is a text" },
	{ "{\"writeOnly\":1}", "x:1:14: /writeOnly: ", "true or false" },
	{ "{\"x-lasts\":\"yes\"}", "x:1:12: /x-lasts: ", "true or false" },
	{ INT(",\"default\":\"5\""), "x:1:29: /default: ", "integer is wanted" },
	{ INT(",\"default\":5,\"maximum\":4"), "x:1:29: /default: ", "at most 4" },
	{ "{\"default\":[1]}", "x:1:12: /default: ", "a default is" },
	/* of a type that is not possible here it would say nothing */
	{ "{\"minimum\":1}", "x:1:12: /minimum: ", "\"type\" has to name it" },
	{ STR(",\"maximum\":1"), "x:1:28: /maximum: ", "\"type\" has to name it" },
	{ "{\"pattern\":\"a\"}", "x:1:12: /pattern: ", "\"type\" has to name it" },
	{ INT(",\"minLength\":1"), "x:1:31: /minLength: ", "\"type\" has to name it" },
	{ "{\"properties\":{}}", "x:1:15: /properties: ", "\"type\" has to name it" },
	{ "{\"additionalProperties\":false}", "x:1:25: /additionalProperties: ", "\"type\" has to name it" },
	{ OBJECT(",\"items\":{}"), "x:1:26: /items: ", "\"type\" has to name it" },
	{ OBJECT(",\"maxItems\":1"), "x:1:29: /maxItems: ", "\"type\" has to name it" },
};

static void test_what_is_no_schema_is_told_by_line_and_column(void **state)
{
	(void)state;
	cli_voice()->say = say;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct doc d = { .name = "x" };
		struct rule *r;

		said[0] = '\0';
		r = rule_read(&d, wrong[i].text, strlen(wrong[i].text));
		if (r || strncmp(said, wrong[i].says, strlen(wrong[i].says)) != 0 ||
		    !strstr(said, wrong[i].words))
			fail_msg("%s: %s", wrong[i].text, r ? "taken" : said);
		assert_int_not_equal(d.nr_errors, 0);
	}
	cli_voice()->say = NULL;
}

/* A schema nested as deeply as JSON goes is refused, not followed. */
static void test_a_deep_schema_is_refused(void **state)
{
	static char text[1 << 16];
	struct doc d = { .name = "x", .quiet = true };

	(void)state;
	for (int i = 0; i < 600; i++)
		strcat(text, "{\"anyOf\":[");
	strcat(text, "{}");
	for (int i = 0; i < 600; i++)
		strcat(text, "]}");
	assert_null(rule_read(&d, text, strlen(text)));
	text[0] = '\0';
	for (int i = 0; i < 600; i++)
		strcat(text, i % 2 ? "{\"type\":\"array\",\"items\":" :
				     "{\"type\":\"object\",\"additionalProperties\":");
	strcat(text, "{}");
	for (int i = 0; i < 600; i++)
		strcat(text, "}");
	assert_null(rule_read(&d, text, strlen(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_keyword_at_its_limits),
		cmocka_unit_test(test_bytes_with_a_nul_are_seen_whole),
		cmocka_unit_test(test_a_secret_is_not_told),
		cmocka_unit_test(test_a_secret_is_told_by_no_other_part),
		cmocka_unit_test(test_long_texts_are_matched_from_their_begin_only),
		cmocka_unit_test(test_a_pattern_is_told_so_that_it_harms_no_terminal),
		cmocka_unit_test(test_patterns_that_repeat_are_taken),
		cmocka_unit_test(test_what_is_no_schema_is_told_by_line_and_column),
		cmocka_unit_test(test_a_deep_schema_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
