#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests against the providers' own libraries: what they sign is sent through
# nginx to an application that verifies with them again.  What a library says
# of a request, nginx must answer, but for differences that are known; see
# sdks.mjs.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '../lib';
use Test::Nginx;

use JSON::PP qw//;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $dir = "$Test::Nginx::ROOT/build/interop";

plan(skip_all => 'no libraries in build/interop, see make interop')
	unless -d "$dir/node_modules";

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime();

my $now = 1764000000;

my ($locations) = node('list');
my $conf = '';

foreach my $location (@$locations) {
	my $file = "$location->{name}.secret";
	$t->write_file($file, "$location->{secret}\n");
	chmod 0600, $t->testdir() . "/$file";

	$conf .= <<"EOF_";

        location = /$location->{name} {
            webhook_verify  $location->{scheme};
            webhook_secret  file:%%TESTDIR%%/$file;

            proxy_pass  http://127.0.0.1:8081;
        }
EOF_
}

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    proxy_set_header  Host  \$host;

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;
$conf
    }
}

EOF_

$t->clock($now)->run();

my @results = node('run', $now, port(8080), port(8081));

$t->plan(@results + 1);

###############################################################################

my (%libraries, @differences);

foreach my $r (@results) {
	my $library = "$r->{sdk} $r->{version}, $r->{scheme}";

	SKIP: {
		if (defined $r->{skip}) {
			$libraries{$library} = 'not tested';
			skip("$library: $r->{skip}", 1);
		}

		$libraries{$library} = $r->{role};

		if ($r->{unknown}) {
			is("@{$r->{unknown}}", '', "$library - differences");
			next;
		}

		my $ok = is(got($r), expected($r), "$library - $r->{name}");

		diag("the library: $r->{error}") if !$ok and $r->{error};

		push @differences, "$library, $r->{name}: $r->{why}"
			if defined $r->{why};
	}
}

cmp_ok(scalar @results, '>', @$locations * 5, 'nothing left out');

note($_) foreach 'libraries:', (map { "  $_: $libraries{$_}" }
	sort keys %libraries), 'known differences:',
	map { "  $_" } @differences;

###############################################################################

sub got {
	my ($r) = @_;

	return join ', ', "nginx $r->{status}",
		'library ' . ($r->{accepted} ? 'yes' : 'no'),
		$r->{arrived} ? ("$r->{arrived} arrived",
			$r->{same} ? 'same' : 'changed',
			'there ' . ($r->{app} ? 'yes' : 'no')) : 'none arrived';
}

sub expected {
	my ($r) = @_;

	my $verdict = ($r->{genuine} xor defined $r->{why}) ? 'yes' : 'no';

	return join ', ', 'nginx ' . ($r->{genuine} ? 200 : 401),
		"library $verdict",
		$r->{genuine} ? ('1 arrived', 'same', "there $verdict")
			: 'none arrived';
}

# the objects that it prints, one a line

sub node {
	my (@args) = @_;

	open my $fh, '-|', 'node', '--no-warnings', "$dir/run.mjs", @args
		or die "Can't run node: $!\n";
	my @lines = <$fh>;
	close $fh or die "node failed: $?\n";

	return map { JSON::PP->new()->utf8()->decode($_) }
		grep { /^[\[{]/ } @lines;
}

###############################################################################
