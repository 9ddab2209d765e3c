#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what is said of providers: each one that another service verifies
# has a scheme, in the module and on its page, or stands in the table of those
# that have none; and the schemes that have handshakes are named.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(8);

# what others call them, and the scheme or the row of the table

my (%scheme, %row);

foreach (grep { /^[^#]/ } split /\n/, project_text('t/listed.txt')) {
	my ($list, $theirs, $is, $ours) = /^(\w+) (\S+) ([=:]) (.+)/
		or die "t/listed.txt: what is \"$_\"?\n";

	($is eq '=' ? \%scheme : \%row)->{"$list $theirs"} = $ours;
}

# names, with others in parentheses

my %page = map { $_ => 1 } map { /`([^`]+)`/g } map { /^\| ([^|]*)/ }
	grep { /^\| `/ } split /\n/, project_text('docs/providers.md');

my ($table) = project_text('docs/schemes.md')
	=~ /^## What no scheme can express\n(.*)/ms;

my @rows = map { split /, | and /, s/ \| .*//r =~ s/^\| //r }
	grep { /^\| (?!provider |---)/ } split /\n/, $table;

my %table;
$table{$_}++ foreach @rows;

# (payments) and the like may be left out

my %called = map { $_ => 1, s/ \([^)]*\)$//r => 1 } @rows;

# no key is needed to inherit

my $schemes = join "\n", map { "webhook_scheme my-$_ from=$_ {"
	. " tolerance 1m; }" } sort keys %page;

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

$schemes

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            webhook_verify  my-openai;
            webhook_secret  a-secret-of-enough-bytes;
        }
    }
}

EOF_

$t->run();

###############################################################################

cmp_ok(keys(%scheme) + keys(%row), '>', 240, 'listed');

is(join(', ', map { "$_ ($scheme{$_})" } grep { !$page{$scheme{$_}} }
	sort keys %scheme), '', 'all are on the page of schemes');

is(join(', ', map { "$_ ($row{$_})" } grep { !$called{$row{$_}} }
	sort keys %row), '', 'all others are in the table');

# and they are in the module, which has started

my ($rc, $out) = $t->conf_test('webhook_scheme my from=openai { }',
	in => 'http');

is($rc, 0, 'one that is in the module') or diag($out);

($rc, $out) = $t->conf_test('webhook_scheme my from=no-such { }',
	in => 'http');

is($rc, 1, 'one that is not');

# nobody is both, or is there twice

my %plain = map { plain($_) => $_ } keys %page;

is(join(', ', grep { $plain{plain($_)} } sort keys %table), '',
	'no row of the table is a scheme');

is(join(', ', grep { $table{$_} > 1 } sort keys %table), '',
	'no row stands there twice');

# handshakes

my %shakes = map { $_ => 1 } map { /\{ "([^"]+)"(?:(?!\{ ").)*?"handshake /gs }
	project_text('src/scheme/ngx_http_webhook_builtin_*.c');

my ($said) = project_text('docs/directives.md')
	=~ /no such line; of built-in schemes (.*?) have one/s;

is(join(' ', sort $said =~ /`([^`]+)`/g), join(' ', sort keys %shakes),
	'schemes with handshakes');

###############################################################################

sub plain {
	my ($name) = @_;
	return lc $name =~ s/[^A-Za-z0-9]//gr;
}

###############################################################################
