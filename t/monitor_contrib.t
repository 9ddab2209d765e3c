#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the alerts and the dashboard in contrib/: whatever they name is
# told by the monitor, and what it tells is named by one of them; each alert is
# explained in docs/operation.md.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::Webhook;

use JSON::PP qw/ decode_json /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;
my $secret = 'the-secret-of-the-test';

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()->plan(13);

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m  state=%%TESTDIR%%/z.state  store=s;

    # which is not there
    webhook_store  s {
        server  127.0.0.1:8079;
    }

    server {
        listen  127.0.0.1:8088;

        location = /webhooks {
            webhook_monitor;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

        location = /stripe {
            webhook_verify  stripe;
            webhook_secret  $secret;
            webhook_dedup   zone=z;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF_

my $u = upstream(8081);

$t->clock($now)->run();

# histograms are told of once there is something in them

deliver('stripe', $secret, "{\"id\":\"$_\"}", uri => '/stripe', ts => $now + $_)
	foreach -10, 10;

wait_until(sub { metric('requests_total', outcome => 'passed') == 2 });

###############################################################################

# what is told: labels by name

my (%told, %families);

foreach my $line (split /\n/, monitor('format=prometheus')->{body}) {
	if ($line =~ /^# TYPE nginx_webhook_(\S+)/) {
		$families{$1} = 1;

	} elsif ($line =~ /^nginx_webhook_(\w+)(?:\{(.*)\})? /) {
		my ($name, $labels) = ($1, defined $2 ? $2 : '');
		$told{$name}{$1} = 1 while $labels =~ /(\w+)="[^"]*"/g;
		$told{$name}{$_} = 1 foreach qw/ instance job /;
	}
}

is(scalar(keys %families), scalar(grep { my $name = $_;
	grep { $told{"$name$_"} } '', '_bucket' } keys %families),
	'all families have series');

# and what may stand in labels

my $verdict = project_text('src/ngx_http_webhook_verdict.c');
my ($statuses, $reasons) = $verdict
	=~ /_statuses\[\]\[3\] = \{(.*?)\n\};.*_reasons\[\] = \{(.*?)\n\};/s;

my %values = (
	outcome => { map { $_ => 1 } $statuses =~ /"([a-z_]+)"/g },
	reason => { none => 1, map { $_ => 1 } $reasons =~ /"(\w+)"/g },
	mode => { enforce => 1, dry_run => 1 },
);

is(join(' ', map { scalar keys %{$values{$_}} > 1 ? () : $_ }
	sort keys %values), '', 'values are found');

###############################################################################

my $rules = project_text('contrib/prometheus/webhook.rules.yml');

my @alerts = $rules =~ /^      - alert: (\w+)$/mg;

my @exprs = $rules =~ /^        expr: (?!\|)(.*)$/mg;
push @exprs, $rules =~ /^        expr: \|\n((?:          .*\n)+)/mg;

cmp_ok(scalar @alerts, '>', 10, 'alerts are found');
is(scalar @exprs, scalar @alerts, 'each with an expression');

my $dashboard = decode_json(project_text('contrib/grafana/webhook.json'));
my @panels = grep { $_->{type} ne 'row' } @{$dashboard->{panels}};
my @targets = map { @{$_->{targets}} } @panels;

cmp_ok(scalar @targets, '>', 10, 'panels are found');

my @variables = map { $_->{definition} || () }
	@{$dashboard->{templating}{list}};

my %used;
my @unknown = map { unknown($_) } @exprs, @variables,
	map { "$_->{expr} by ("
		. join(',', $_->{legendFormat} =~ /\{\{(\w+)\}\}/g) . ')' } @targets;

is(join("\n", @unknown), '', 'whatever is named is told of');

is(join(' ', grep { my $name = $_; !grep { $used{"$name$_"} } '', '_bucket' }
	sort keys %families), '', 'whatever is told of is used');

# a metric, a label, or a value that is not there would have been noticed

is(join(', ', map { unknown($_) } 'nginx_webhook_requests',
	'sum by (zone) (nginx_webhook_requests_total)',
	'nginx_webhook_dedup_slots{place="a"}',
	'nginx_webhook_requests_total{reason=~"none|expired"}'),
	'requests, requests_total by zone, dedup_slots by place, '
	. 'reason=expired', 'what is unknown is noticed');

# the dashboard

is(scalar(keys %{{ map { $_->{id} => 1 } @{$dashboard->{panels}} }}),
	scalar @{$dashboard->{panels}}, 'panels have numbers of their own');

my %taken;

foreach my $panel (@{$dashboard->{panels}}) {
	my $at = $panel->{gridPos};

	foreach my $y ($at->{y} .. $at->{y} + $at->{h} - 1) {
		$taken{"$_,$y"}++ foreach $at->{x} .. $at->{x} + $at->{w} - 1;
	}
}

is(join(' ', grep { $taken{$_} > 1 || /^(\d+)/ && $1 > 23 } sort keys %taken),
	'', 'panels do not overlap');

is(join(', ', map { $_->{title} } grep { !length $_->{description} } @panels),
	'', 'panels are explained');

my %variables = map { $_->{name} => 1 } @{$dashboard->{templating}{list}};

is(join(' ', grep { !$variables{$_} && !/^__rate_interval$/ }
	map { /\$\{?(\w+)/g } map { $_->{expr}, $_->{datasource}{uid} } @targets),
	'', 'variables');

###############################################################################

my ($table) = project_text('docs/operation.md') =~ /### Alerts\n(.*?)(?=^##)/sm;

is(join(' ', $table =~ /^\| `(\w+)` \|/mg), join(' ', @alerts),
	'each alert is explained');

###############################################################################

# what an expression names, and nobody tells of

sub unknown {
	my ($expr) = @_;

	my %labels = map { $_ => 1 } map { split /[\s,]+/ }
		$expr =~ /\b(?:by|on) \(([^)]*)\)/g;
	my (@found, @names);

	while ($expr =~ /nginx_webhook_(\w+)(?:\{([^}]*)\})?/g) {
		my ($name, $matchers) = ($1, defined $2 ? $2 : '');

		push @names, $name;
		$used{$name} = 1;

		if (!$told{$name}) {
			push @found, $name;
			next;
		}

		while ($matchers =~ /(\w+)(?:=~|!~|!=|=)"([^"]*)"/g) {
			my ($label, $value) = ($1, $2);

			push @found, "$name by $label"
				unless $told{$name}{$label};

			push @found, map { "$label=$_" }
				grep { $values{$label} && !$values{$label}{$_} }
				grep { !/^\$/ } split /\|/, $value;
		}
	}

	# labels of an operation are those of each metric that it is about, or, in
	# a legend, of one

	foreach my $label (grep { length } sort keys %labels) {
		push @found, "$names[0] by $label"
			if @names and !grep { $told{$_}{$label} } @names;
	}

	return @found;
}

###############################################################################
