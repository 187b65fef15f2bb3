# SPDX-License-Identifier: Apache-2.0
# All else of nginx's configuration is printed: planetctl nginx.
nginxdocdir = $(docdir)/nginx
dist_nginxdoc_DATA = %D%/planet-tls.conf.example
