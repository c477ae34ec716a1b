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
#include <stdlib.h>
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

#define DEFS(parts) "\"$defs\":{" parts "}"
#define REF(to, parts) "{\"$ref\":\"" to "\"," DEFS(parts) "}"
#define PORT "\"p\":" INT(",\"minimum\":1")
#define TREE OBJECT(",\"properties\":{\"n\":" INT("") "},\"additionalProperties\":{\"$ref\":\"#\"}")

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
	/* bounds that are not in it; a word that is the only one */
	{ INT(",\"exclusiveMinimum\":2,\"exclusiveMaximum\":4"), "", "2", ANY, "exclusiveMinimum" },
	{ INT(",\"exclusiveMinimum\":2,\"exclusiveMaximum\":4"), "", "1", ANY, "exclusiveMinimum" },
	{ INT(",\"exclusiveMinimum\":2,\"exclusiveMaximum\":4"), "", "3", ANY, NULL },
	{ INT(",\"exclusiveMinimum\":2,\"exclusiveMaximum\":4"), "", "4", ANY, "exclusiveMaximum" },
	{ INT(",\"exclusiveMinimum\":2,\"exclusiveMaximum\":4"), "", "9", ANY, "exclusiveMaximum" },
	{ "{\"const\":\"a\"}", "", "a", TEXT, NULL },
	{ "{\"const\":\"a\"}", "", "b", TEXT, "enum" },
	{ "{\"const\":3}", "", "3", NUM, NULL },
	{ "{\"const\":3}", "", "3", TEXT, "enum" },
	/* all of several */
	{ "{\"allOf\":[" INT(",\"maximum\":5") "," INT(",\"minimum\":3") "]}", "", "4", NUM, NULL },
	{ "{\"allOf\":[" INT(",\"maximum\":5") "," INT(",\"minimum\":3") "]}", "", "2", NUM, "minimum" },
	{ "{\"allOf\":[" OBJECT(KIDS) ",{}]}", "/port", "x", ANY, "type" },
	/* by name */
	{ REF("#/$defs/p", PORT), "", "5", NUM, NULL },
	{ REF("#/$defs/p", PORT), "", "0", NUM, "minimum" },
	{ "{\"$ref\":\"#/definitions/a~1b%25~0\",\"definitions\":{\"a/b%~\":" INT("") "}}", "", "x", TEXT, "type" },
	{ "{\"$ref\":\"#/$defs/p\",\"type\":\"integer\",\"maximum\":7," DEFS(PORT) "}", "", "8", NUM, "maximum" },
	{ "{\"$ref\":\"#/$defs/p\",\"type\":\"integer\",\"maximum\":7," DEFS(PORT) "}", "", "0", NUM, "minimum" },
	{ REF("#/$defs/p", PORT ",\"q\":{\"$ref\":\"#/$defs/p\"}"), "", "1", NUM, NULL },
	{ REF("#/$defs/q", PORT ",\"q\":{\"$ref\":\"#/$defs/p\"}"), "", "0", NUM, "minimum" },
	{ TREE, "/a", "", OBJ, NULL },
	{ TREE, "/a/b/c/d", "", OBJ, NULL },
	{ TREE, "/a/b/c/d", "x", TEXT, "type" },
	{ TREE, "/a/b/n", "3", NUM, NULL },
	{ TREE, "/a/b/n", "x", TEXT, "type" },
	{ "{\"type\":[\"array\",\"integer\"],\"items\":{\"$ref\":\"#\"}}", "/0/1/2", "3", NUM, NULL },
	{ "{\"type\":[\"array\",\"integer\"],\"items\":{\"$ref\":\"#\"}}", "/0/1/2", "x", TEXT, "type" },
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
		const struct rule_value v = { t->value, strlen(t->value), t->kind, NULL };
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
	const struct rule_value v = { "a\0b", 3, ANY, NULL }, w = { "a\0b\0", 4, ANY, NULL };
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
	const struct rule_value v = { "geheim", 6, TEXT, NULL };
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
		const struct rule_value v = { secrets[i].value, 6, TEXT, NULL };
		struct rule *r = rule_of(secrets[i].schema);
		struct rule_fault f;

		assert_false(rule_allows(r, secrets[i].tail, &v, &f));
		assert_null(strstr(f.text, "geheim"));
		rule_free(r);
	}
}

/*
 * Whoever may write a schema may not have others wait: a match has so many steps, and so much
 * memory.
 */
static void test_a_match_takes_so_long_and_no_longer(void **state)
{
	static char text[(1 << 20) + 1]; /* with a NUL behind it, as values have */
	static const struct {
		const char *pattern;
		bool told; /* what is a lot of work and not too much */
	} bombs[] = {
		{ "a+[@x]", false }, { "^.*a+[@x]", false }, { "^.*a.{20}c?[xy]", false },
		{ "^(a|a)*[@x]", false }, { "(((((a+)+)+)+)+)+[@x]", false }, { "^(a|b)*[@x]", false },
		{ "^a*$", true }, { "[@x]", true }, { "^(?:aaaa)*$", true },
	};

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		const struct rule_value whole = { text, sizeof(text) - 1, TEXT, NULL };
		struct rule_fault f = { 0 };
		char schema[100];
		struct rule *r;
		bool ok;

		snprintf(schema, sizeof(schema), STR(",\"pattern\":\"%s\""), bombs[i].pattern);
		r = rule_of(schema);
		ok = rule_allows(r, "", &whole, &f);
		if (ok != (bombs[i].told && bombs[i].pattern[0] == '^') ||
		    (!ok && !strstr(f.text, bombs[i].told ? "is wanted" : "would take too long")))
			fail_msg("%s: %s", bombs[i].pattern, ok ? "allowed" : f.text);
		rule_free(r);
	}
}

/*
 * What an item looks at before it fails is counted, too: each of these took ten seconds and more.
 */
static void test_what_a_failing_item_looks_at_is_counted(void **state)
{
	static char text[(1 << 20) + 1];
	static const char *const bombs[] = {
		"a{60000}[cd]", "(?:[ax]{60000}|b)[cd]", "(?=[ax]{60000,60001})[cd]", "(?i)^(a*)b.*?\\\\1[cd]",
		"(?i)^(?<n>a*)b.*?\\\\k<n>[cd]",
	};
	/* they are few, or what they look at is little */
	static const char *const good[] = {
		"^[ab]{60000}", "^([ab]{10}){100}", "(a)\\\\1{5}b(a)", "^(?i)(a{50})\\\\1", "^[a{9999}b]{9}", "b[{]?",
	};

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	for (size_t i = 50001; i < sizeof(text) - 1; i += 50001)
		text[i] = 'b';
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]) + sizeof(good) / sizeof(good[0]); i++) {
		size_t nr = sizeof(bombs) / sizeof(bombs[0]);
		const struct rule_value whole = { text, sizeof(text) - 1, TEXT, NULL };
		struct rule_fault f = { 0 };
		char schema[100];
		struct rule *r;
		bool ok;

		snprintf(schema, sizeof(schema), STR(",\"pattern\":\"%s\""), i < nr ? bombs[i] : good[i - nr]);
		r = rule_of(schema);
		ok = rule_allows(r, "", &whole, &f);
		if (ok != (i >= nr) || (!ok && !strstr(f.text, "would take too long")))
			fail_msg("%s: %s", schema, ok ? "allowed" : f.text);
		rule_free(r);
	}
}

/* Twelve ways to one slow pattern, or twelve slow ones, and then one that is none. */
static void test_all_matches_for_one_value_take_so_long_and_no_longer(void **state)
{
	static const char ref[] = "{\"$ref\":\"#/$defs/slow\"},", slow[] = "(((((a+)+)+)+)+)+[@x]";
	const struct rule_value v = { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 40, TEXT, NULL };
	static const int ways[] = { 2, 12 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char values[2000] = "", names[2000] = "", schema[5000], name[50] = "/";
		struct rule_fault f = { 0 };
		struct rule *r;

		for (int nr = 0; nr < ways[i]; nr++) {
			strcat(values, ref);
			sprintf(names + strlen(names), "\"%s%d*\":{},", slow, nr);
		}
		snprintf(schema, sizeof(schema), OBJECT(",\"$defs\":{\"slow\":" STR(",\"pattern\":\"%s\"")
			 "},\"properties\":{\"v\":{\"anyOf\":[%s" STR(",\"pattern\":\"^a*$\"") "]}}"), slow, values);
		r = rule_of(schema);
		assert_int_equal(rule_allows(r, "/v", &v, &f), i == 0);
		if (i)
			assert_non_null(strstr(f.text, "would take too long"));
		rule_free(r);
		/* of which nobody knows whether it is about the name, that holds */
		snprintf(schema, sizeof(schema), OBJECT(",\"patternProperties\":{%s\"^b\":" INT("") "}"), names);
		r = rule_of(schema);
		strcat(name, v.bytes);
		assert_int_equal(rule_allows(r, name, &v, &f), i == 0);
		rule_free(r);
	}
}

static void test_a_pattern_is_told_so_that_it_harms_no_terminal(void **state)
{
	struct rule *r = rule_of(STR(",\"pattern\":\"^\\u001b[a]$\""));
	const struct rule_value v = { "x", 1, TEXT, NULL };
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
		"^(?!www[.])\\\\w+(?:[.]\\\\d{1,3})?$", "^\\\\S+@\\\\S+$", "\\\\u00e4", "a{1",
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
	{ "{\"dependentSchemas\":[\"a\"]}", "x:1:21: /dependentSchemas: ", "is not known: type, enum" },
	{ "{\"type\":\"string\",\"format\":\"ipv4\"}", "x:1:27: /format: ", "is not known" },
	{ "{\"oneOf\":[{}]}", "x:1:10: /oneOf: ", "is not known" },
	{ "{\"not\":{}}", "x:1:8: /not: ", "is not known" },
	{ OBJECT(",\"minProperties\":1"), "x:1:34: /minProperties: ", "is not known" },
	{ OBJECT(",\"required\":\"a\""), "x:1:29: /required: ", "a list of names" },
	{ OBJECT(",\"required\":[\"a\",\n5]"), "x:2:1: /required/1: ", "a name is a text" },
	{ "{\"required\":[\"a\"]}", "x:1:13: /required: ", "\"type\" has to name it" },
	{ "{\"properties\":{\"a\":{\"type\":\"string\",\"required\":true}}}", "x:1:48: /properties/a/required: ", "a list of names" },
	{ "{\"allOf\":[]}", "x:1:10: /allOf: ", "a list of schemas" },
	{ "{\"enum\":[1],\"const\":1}", "x:1:21: /const: ", "one of them" },
	{ INT(",\"minimum\":1,\"exclusiveMinimum\":2"), "x:1:50: /exclusiveMinimum: ", "one bound of a side" },
	{ INT(",\"minimum\":1,\"exclusiveMinimum\":true"), "x:1:50: /exclusiveMinimum: ", "one bound of a side" },
	{ INT(",\"exclusiveMinimum\":true"), "x:1:38: /exclusiveMinimum: ", "is a number" },
	{ INT(",\"exclusiveMinimum\":2,\"maximum\":2"), "x:1:1: (document): ", "nothing is possible" },
	{ "{\"type\":\"array\",\"minItems\":2,\"maxItems\":1}", "x:1:1: (document): ", "nothing is possible" },
	{ "{\"type\":\"array\",\"minItems\":-1}", "x:1:28: /minItems: ", "0 to 1000000000" },
	{ "{\"examples\":1}", "x:1:13: /examples: ", "a list" },
	/* by name: what is not there, what is somewhere else, and what is nowhere but in itself */
	{ "{\"$ref\":5}", "x:1:9: /$ref: ", "is a text" },
	{ REF("#/$defs/a", ""), "x:1:9: /$ref: ", "there is no #/$defs/a: # is possible" },
	{ REF("#/$defs/prt", "\"port\":{}"), "x:1:9: /$ref: ", "did you mean #/$defs/port?" },
	{ REF("\\u001b[31m", ""), "x:1:9: /$ref: ", "there is no \\x1b[31m: # is possible" },
	{ REF("other.json", ""), "x:1:9: /$ref: ", "of what this file has there" },
	{ REF("https://example.org/s.json#/$defs/a", "\"a\":{}"), "x:1:9: /$ref: ", "of what this file has there" },
	{ "{\"$defs\":[]}", "x:1:10: /$defs: ", "is an object" },
	{ "{\"definitions\":{\"a\":5}}", "x:1:21: /definitions/a: ", "a schema is an object" },
	{ "{\"definitions\":{\"a\":{\"typ\":5}}}", "x:1:28: /definitions/a/typ: ", "did you mean type?" },
	{ OBJECT(",\"properties\":{\"a\":{\"$defs\":{}}}"), "x:1:45: /properties/a/$defs: ", "at the top" },
	{ "{\"$ref\":\"#\"}", "x:1:9: /$ref: ", "leads back to itself" },
	{ "{\"anyOf\":[{},{\"$ref\":\"#\"}]}", "x:1:22: /anyOf/1/$ref: ", "leads back to itself" },
	{ REF("#/$defs/a", "\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"allOf\":[{\"$ref\":\"#/$defs/a\"}]}"),
	  "x:1:9: /$ref: ", "leads back to itself" },
	{ "{" DEFS("\"p\":{\"$ref\":\"#/$defs/q\",\"default\":0},\"q\":" INT(",\"minimum\":1")) "}",
	  "x:1:45: /$defs/p/default: ", "at least 1" },
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
	{ STR(",\"pattern\":\"((a{1,200}){200}){1,200}\""), "x:1:28: /pattern: ", "too large" },
	{ STR(",\"pattern\":\"a{1,99999}\""), "x:1:28: /pattern: ", "is no pattern" },
	{ STR(",\"pattern\":\"\\\\C\""), "x:1:28: /pattern: ", "is no pattern" },
	{ OBJECT(",\"properties\":[]"), "x:1:31: /properties: ", "is an object" },
	{ OBJECT(",\"properties\":{\"a\":true}"), "x:1:36: /properties/a: ", "a schema is an object" },
	{ OBJECT(",\"patternProperties\":{\"[\":{}}"), "x:1:43: /patternProperties/[: ", "is no pattern" },
	{ OBJECT(",\"additionalProperties\":1"), "x:1:41: /additionalProperties: ", "a schema is an object" },
	{ "{\"type\":\"array\",\"items\":[{}]}", "x:1:25: /items: ", "a schema is an object" },
	{ "{\"type\":\"array\",\"maxItems\":\"2\"}", "x:1:28: /maxItems: ", "is a number" },
	{ "{\"anyOf\":[]}", "x:1:10: /anyOf: ", "a list of schemas" },
	{ "{\"anyOf\":[{},\n5]}", "x:2:1: /anyOf/1: ", "a schema is an object" },
	{ "{\"type\":\"string\\u0000x\"}", "x:1:9: /type: ", "integer" },
	{ STR(",\"pattern\":\"a\\u0000b\""), "x:1:28: /pattern: ", "without NUL" },
	{ OBJECT(",\"required\":[\"a\\u0000b\"]"), "x:1:30: /required/0: ", "a name is a text" },
	{ REF("#\\u0000x", ""), "x:1:9: /$ref: ", "without NUL" },
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

/* ---- which children there are ---- */

/* A list of names, each with a blank behind it. */
static bool is_in(const void *names, const char *name)
{
	char word[64];

	snprintf(word, sizeof(word), "%s ", name);
	return strstr(names, word);
}

static const struct {
	const char *schema, *tail;
	int kind;
	const char *names, *keyword, *word; /* of what is told */
} families[] = {
	{ OBJECT(",\"required\":[\"a\",\"b.c\"]"), "", OBJ, "a b@2ec d ", NULL, NULL },
	{ OBJECT(",\"required\":[\"a\",\"b.c\"]"), "", OBJ, "a ", "required", "b.c has to be here" },
	{ OBJECT(",\"required\":[\"a\",\"b.c\"]"), "", ANY, "b@2ec ", "required", "a has" },
	{ OBJECT(",\"required\":[\"a\"]"), "", OBJ, "", "required", "a has" },
	{ OBJECT(",\"required\":[\"a\"]"), "", ANY, "", "required", "a has" },
	{ OBJECT(",\"required\":[]"), "", OBJ, "", NULL, NULL },
	/* what may be something else is, unless it has children */
	{ "{\"type\":[\"object\",\"null\"],\"required\":[\"a\"]}", "", ANY, "", NULL, NULL },
	{ "{\"type\":[\"object\",\"null\"],\"required\":[\"a\"]}", "", NUL, "", NULL, NULL },
	{ "{\"type\":[\"object\",\"null\"],\"required\":[\"a\"]}", "", OBJ, "", "required", "a has" },
	{ "{\"type\":[\"object\",\"null\"],\"required\":[\"a\"]}", "", ANY, "b ", "required", "a has" },
	{ "{\"type\":[\"object\",\"array\"],\"required\":[\"a\"]}", "", LIST, "0 ", NULL, NULL },
	/* below it, by a name, in all of several, in one of several */
	{ OBJECT(",\"additionalProperties\":" OBJECT(",\"required\":[\"a\"]")), "/x", OBJ, "b ", "required", "a has" },
	{ REF("#/$defs/o", "\"o\":" OBJECT(",\"required\":[\"a\"]")), "", OBJ, "b ", "required", "a has" },
	{ "{\"allOf\":[{}," OBJECT(",\"required\":[\"a\"]") "]}", "", OBJ, "b ", "required", "a has" },
	{ "{\"anyOf\":[{\"type\":\"null\"}," OBJECT(",\"required\":[\"a\"]") "]}", "", OBJ, "b ", "required", "a has" },
	{ "{\"anyOf\":[" OBJECT(",\"required\":[\"a\"]") "," OBJECT(",\"required\":[\"b\"]") "]}", "", OBJ, "b ", NULL, NULL },
	{ "{\"anyOf\":[" OBJECT(",\"required\":[\"a\"]") "," OBJECT(",\"required\":[\"b\"]") "]}", "", OBJ, "c ",
	  "required", "a has" },
	/* lists */
	{ "{\"type\":\"array\",\"minItems\":2}", "", LIST, "0 1 ", NULL, NULL },
	{ "{\"type\":\"array\",\"minItems\":2}", "", LIST, "0 ", "minItems", "at least 2 items" },
	{ "{\"type\":\"array\",\"minItems\":2}", "", ANY, "1 ", "minItems", "at least 2 items" },
	{ "{\"type\":\"array\",\"minItems\":0}", "", LIST, "", NULL, NULL },
	{ "{\"type\":[\"array\",\"string\"],\"minItems\":2}", "", TEXT, "", NULL, NULL },
};

static void test_what_has_to_be_there_is_missed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct rule_family family = { is_in, families[i].names, *families[i].names };
		struct rule_value v = { "", 0, families[i].kind, NULL };
		struct rule *r = rule_of(families[i].schema);
		struct rule_fault f;
		bool ok;

		if (!rule_allows(r, families[i].tail, &v, &f))
			fail_msg("%s: '%s' is nothing without its children: %s", families[i].schema, families[i].names, f.text);
		v.family = &family;
		ok = rule_allows(r, families[i].tail, &v, &f);
		if (ok != !families[i].keyword ||
		    (!ok && (strcmp(f.keyword, families[i].keyword) != 0 || !strstr(f.text, families[i].word))))
			fail_msg("%s: '%s': %s", families[i].schema, families[i].names, ok ? "allowed" : f.text);
		rule_free(r);
	}
}

struct needs {
	int parts, needed;
};

static void count_needs(void *arg, const struct rule *at, bool needed)
{
	struct needs *n = arg;

	(void)at;
	n->parts++;
	n->needed += needed;
}

static void test_what_is_needed_is_known_where_it_is(void **state)
{
	struct rule *r = rule_of("{\"allOf\":[" OBJECT(KIDS ",\"required\":[\"port\"]") "]}");
	struct rule *bare = rule_of(OBJECT(",\"required\":[\"a\"]"));
	struct needs port = { 0 }, other = { 0 }, alone = { 0 }, none = { 0 };

	(void)state;
	assert_true(rule_each(r, "/port", count_needs, &port));
	assert_true(rule_each(r, "/key@2esub", count_needs, &other));
	assert_int_equal(port.parts, 1);
	assert_int_equal(port.needed, 1);
	assert_int_equal(other.parts, 1);
	assert_int_equal(other.needed, 0);
	assert_true(rule_each(bare, "/a", count_needs, &alone));
	assert_true(rule_each(bare, "/b", count_needs, &none));
	assert_int_equal(alone.needed, 1);
	assert_int_equal(none.parts, 0);
	rule_free(bare);
	rule_free(r);
}

/* ---- schemas that were made to do harm ---- */

/* @nr parts, each of which names the next one by @fmt, in which %d stands for its number. */
static char *chain(int nr, const char *fmt)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fprintf(f, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
	for (int i = 0; i < nr; i++) {
		fprintf(f, "\"%d\":", i);
		for (const char *s = fmt; *s; s++)
			if (*s == '%')
				fprintf(f, "%d", i + 1);
			else
				fputc(*s, f);
		fputc(',', f);
	}
	fprintf(f, "\"%d\":{}}}", nr);
	fclose(f);
	return text;
}

static void test_a_chain_of_names_is_bounded(void **state)
{
	static const struct {
		int nr;
		const char *fmt, *says; /* NULL: it is taken */
	} chains[] = {
		{ 60, "{\"$ref\":\"#/$defs/%\"}", NULL },
		{ 100, "{\"$ref\":\"#/$defs/%\"}", "x:1:9: /$ref: leads through more than 64 others\n" },
		{ 9000, "{\"$ref\":\"#/$defs/%\"}", "x:1:9: /$ref: leads through more than 64 others\n" },
		{ 9000, "{\"anyOf\":[{\"$ref\":\"#/$defs/%\"},{\"$ref\":\"#/$defs/%\"}]}", "parts" },
		{ 12000, "{\"$ref\":\"#/$defs/%\"}", "x:1:29: /$defs: has more than 10000 parts" },
	};

	(void)state;
	cli_voice()->say = say;
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		char *text = chain(chains[i].nr, chains[i].fmt);
		struct doc d = { .name = "x" };
		struct rule *r;

		said[0] = '\0';
		r = rule_read(&d, text, strlen(text));
		if (!r != !!chains[i].says || (!r && !strstr(said, chains[i].says)))
			fail_msg("%d of %s: %.200s", chains[i].nr, chains[i].fmt, r ? "taken" : said);
		rule_free(r);
		free(text);
	}
	cli_voice()->say = NULL;
}

/* As many as fit into a value: the memory is that of the text, and the fault is told once. */
static void test_more_parts_than_anybody_needs_are_refused(void **state)
{
	static const char *const begins[] = { "{\"anyOf\":[", "{\"type\":\"object\",\"properties\":{" };

	(void)state;
	cli_voice()->say = say;
	for (int kind = 0; kind < 2; kind++) {
		struct doc d = { .name = "x" };
		char *text = NULL;
		size_t len;
		FILE *f = open_memstream(&text, &len);

		fputs(begins[kind], f);
		for (int i = 0; i < 60000; i++)
			fprintf(f, kind ? "\"k%d\":{}," : "{},", i);
		fputs(kind ? "\"k\":{}}}" : "{}]}", f);
		fclose(f);
		said[0] = '\0';
		assert_null(rule_read(&d, text, len));
		assert_non_null(strstr(said, "at most 10000 parts"));
		assert_int_equal(d.nr_errors, 1);
		free(text);
	}
	cli_voice()->say = NULL;
}

/* Each part asks the next one twice, each name all of them anew: two to the power of whatever. */
static void test_alternatives_are_asked_so_often_and_no_more(void **state)
{
	char *twice = chain(20, "{\"anyOf\":[{\"allOf\":[{\"$ref\":\"#/$defs/%\"},{\"const\":\"x\"}]},{\"$ref\":\"#/$defs/%\"}]}");
	static const char deep[] = OBJECT(",\"additionalProperties\":{\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}");
	const char *const schemas[] = { twice, deep };
	const struct rule_value v = { "y", 1, TEXT, NULL };
	static char tail[3000];
	struct rule_fault f;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(tail, "/a");
	for (size_t i = 0; i < 2; i++) {
		struct rule *r = rule_of(schemas[i]);
		struct needs n = { 0 };

		assert_false(rule_allows(r, i ? tail : "", &v, &f));
		assert_non_null(strstr(f.text, "too many ways"));
		assert_false(rule_each(r, i ? tail : "", count_needs, &n));
		assert_true(rule_is_secret(r, i ? tail : ""));
		rule_free(r);
	}
	free(twice);
}

/* As deep as paths are: the stack is enough, and so are the steps. */
static void test_the_longest_path_is_followed(void **state)
{
	struct rule *r = rule_of(OBJECT(",\"additionalProperties\":{\"$ref\":\"#\"}"));
	const struct rule_value v = { "", 0, OBJ, NULL };
	static char tail[3100];
	struct rule_fault f;

	(void)state;
	for (int i = 0; i < 1535; i++)
		memcpy(tail + i * 2, "/a", 3);
	assert_true(rule_allows(r, tail, &v, &f));
	rule_free(r);
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
		cmocka_unit_test(test_a_match_takes_so_long_and_no_longer),
		cmocka_unit_test(test_what_a_failing_item_looks_at_is_counted),
		cmocka_unit_test(test_all_matches_for_one_value_take_so_long_and_no_longer),
		cmocka_unit_test(test_a_pattern_is_told_so_that_it_harms_no_terminal),
		cmocka_unit_test(test_patterns_that_repeat_are_taken),
		cmocka_unit_test(test_what_is_no_schema_is_told_by_line_and_column),
		cmocka_unit_test(test_a_deep_schema_is_refused),
		cmocka_unit_test(test_what_has_to_be_there_is_missed),
		cmocka_unit_test(test_what_is_needed_is_known_where_it_is),
		cmocka_unit_test(test_a_chain_of_names_is_bounded),
		cmocka_unit_test(test_more_parts_than_anybody_needs_are_refused),
		cmocka_unit_test(test_alternatives_are_asked_so_often_and_no_more),
		cmocka_unit_test(test_the_longest_path_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
