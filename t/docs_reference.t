#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the documentation: what the source knows is described, and nothing
# else is: directives and where they may stand, lines of a scheme, variables,
# reasons, built-in schemes; and examples and targets of make.

###############################################################################

use warnings;
use strict;

use Test::More tests => 16;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;

###############################################################################

my $root = $Test::Nginx::ROOT;

my $code = project_text('ngx_http_webhook_module.c src/*.c src/*/*.c');

my $readme = project_text('README.md');
my $directives = project_text('docs/directives.md');
my $schemes = project_text('docs/schemes.md');

cmp_ok($readme =~ tr/\n//, '<', 300, 'README.md - lines');

###############################################################################

# directives

my %contexts = (
	NGX_HTTP_MAIN_CONF => 'http',
	NGX_HTTP_LOC_CONF => 'location',
	NGX_HTTP_WEBHOOK_ANY_CONF => 'http, server, location',
	NGX_HTTP_WEBHOOK_LMT_CONF => 'http, server, location, limit_except',
);

my %known = $code
	=~ /\{ ngx_string\("(webhook_\w+)"\),\s+(NGX_\w+_CONF)\|/g;
my %documented = $directives =~ /^\#\#\#\ (webhook_\w+)\n\n
	(?:\ {4}(?!Context).*\n)+\ {4}Context:\ \ (.*)\n/mgx;

cmp_ok(keys %known, '>', 10, 'directives are found');

is_deeply(\%documented,
	{ map { $_ => $contexts{$known{$_}} } keys %known },
	'directives, and where they may stand');

is(join(' ', grep { $directives !~ /^    Syntax:   \Q$_\E /m }
	sort keys %known), '', 'their syntax');

is(join(' ', grep { $directives !~
	/^### $_\n\n(?:    .*\n)+?    Default:  (?:-|\Q$_\E .*;)\n/m }
	sort keys %known), '', 'their defaults');

is(join(' ', $readme =~ /^\| \[`(webhook_\w+)`\]/mg),
	join(' ', $directives =~ /^### (webhook_\w+)$/mg),
	'the same in README.md, in order');

# lines of a scheme

is(join(' ', sort $schemes =~ /^### (\w+)\n\n    Syntax:   \g1 /mg),
	join(' ', sort $code =~ /\{ ngx_string\("(\w+)"\), \d+, \d+, \d+,\s/g),
	'lines of a scheme');

###############################################################################

# variables and reasons

my @variables = $code =~ /\{ ngx_string\("(webhook_\w+)"\), NULL,\s/g;

is(join(' ', sort $directives =~ /^\| `\$(webhook_\w+)` \|/mg),
	join(' ', sort @variables), 'variables');
is(join(' ', sort $readme =~ /\[`\$(webhook_\w+)`\]/g),
	join(' ', sort @variables), 'the same in README.md');

my ($reasons) = $code =~ /ngx_http_webhook_reasons\[\] = \{(.*?)\n\};/s;

my @reasons = sort $reasons =~ /ngx_string\("(\w+)"\)/g;

is(join(' ', sort map { /`(\w+)`/g }
	section($directives, 'Reasons') =~ /^\| (`.*?) \|/mg),
	join(' ', @reasons), 'reasons');

my %reasons = map { $_ => 1 } @reasons;

is(join(' ', grep { !$reasons{$_} } map { /`(\w+)`/g }
	section(project_text('docs/troubleshooting.md'), 'It answers 401')
	=~ /^\| (`.*?) \|/mg), '', 'causes are those of reasons that exist');

###############################################################################

# built-in schemes

is(`$^X $root/auto/providers-table --check 2>&1`, '', 'docs/providers.md');

my @rows = project_text('docs/providers.md') =~ /^(\|.*)$/mg;

my @cells = map { scalar(() = /(?<!\\)\|/g) } @rows;

is(join(', ', map { $rows[$_] } grep { $cells[$_] != $cells[0] } 0 .. $#rows),
	'', 'as many cells in each row');

my %schemes = map { $_ => 1 } map { /`([\w-]+)`/g }
	map { /^\| (`[\w-]+`(?: \(.*?\))?) \|/ } @rows;

$schemes{$_} = 1 foreach project_text('README.md docs/*.md')
	=~ /^\s+webhook_scheme\s+([\w-]+)/mg;

is(join(' ', grep { !$schemes{$_} } project_text('README.md docs/*.md')
	=~ /^\s+webhook_verify\s+([\w-]+);$/mg), '',
	'no other is verified with');

###############################################################################

# examples, and what make can do

is(join(' ', sort $readme =~ /^\| \[([\w-]+\.conf)\]/mg),
	join(' ', map { m!([^/]+)$! } sort glob("$root/conf-examples/*.conf")),
	'examples');

my $makefile = project_text('Makefile');

my ($targets) = $makefile =~ /^\.PHONY: (.*?[^\\])$/sm;

is(join(' ', sort grep { !/packages|FORCE|^all$|\\/ } split ' ', $targets),
	join(' ', sort `make -s -C $root help 2>&1` =~ /^  make (\w+)/mg),
	'targets of make help');

###############################################################################

# the text below a heading, to the next one

sub section {
	my ($text, $title) = @_;

	$text =~ /^(#+) \Q$title\E\n(.*?)(?=^#|\z)/sm
		or die "no section $title\n";

	return $2;
}

###############################################################################
