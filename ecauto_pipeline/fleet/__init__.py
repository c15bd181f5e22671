"""What only several machines need. Its packages are the extra `ecauto-pipeline[fleet]`; one machine imports none."""
