"""What pages are made of: text, cards, tables, questions before a click. No part knows a page or reads anything."""
